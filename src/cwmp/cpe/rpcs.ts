import { parentOf } from '../../datamodel/index.ts'
import type { TreeView, WriteError } from '../../tree/index.ts'
import type { CwmpFault, ParameterValue, RequestOf, ResponseOf, RpcName } from '../wire/index.ts'
import type { Notifications } from './notifications.ts'
import { type CpeQuirks, typeOnWire } from './quirks.ts'

/** The effects of a request besides its answer. */
export interface CpeEffects {
  reboot(commandKey: string): void
  factoryReset(): void
  download(request: RequestOf<'Download'>): void
  scheduleInform(delayS: number, commandKey: string): void
  /** A command-like parameter was set, to `true` or to the argument of the command. */
  command(path: string, value: string): void
  /** DiagnosticsState of this object was set to Requested. */
  diagnose(object: string): void
  /**
   * Returns the reason why a command cannot take this value; undefined when it can. It is called before anything is
   * written.
   */
  refuses(path: string, value: string): string | undefined
}

/** A refused RPC, with the fault that is sent. */
export class CpeFault extends Error {
  readonly fault: CwmpFault
  constructor(code: number, text: string, parameters: CwmpFault['parameters'] = []) {
    super(text)
    this.fault = { code, text, parameters }
  }
}

/** The CPE breaks down over a request: it sends no answer and its connection is cut. */
export class ConnectionCut extends Error {}

const WRITE_CODES: Record<WriteError['kind'], number> = {
  unknown: 9005,
  notWritable: 9008,
  type: 9006,
  value: 9007,
  notTable: 9005,
  notCreatable: 9003,
  duplicateKey: 9003,
}
/** These devices take firmware and configuration files (TR-069 A.3.2.8). */
const DOWNLOADABLE = /^[13] /
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** Answers the requests of the ACS from the tree of a device (TR-069 A.3.2). */
export class CpeRpcs {
  readonly #view: TreeView
  readonly #quirks: CpeQuirks
  readonly #effects: CpeEffects
  readonly #notifications: Notifications
  /** Notification attributes have changed. */
  readonly #onAttributes: () => void

  constructor(
    view: TreeView,
    quirks: CpeQuirks,
    effects: CpeEffects,
    notifications: Notifications,
    onAttributes: () => void,
  ) {
    this.#view = view
    this.#quirks = quirks
    this.#effects = effects
    this.#notifications = notifications
    this.#onAttributes = onAttributes
  }

  /** Names of the methods that the CPE has. */
  static readonly METHODS = [
    'GetRPCMethods',
    'SetParameterValues',
    'GetParameterValues',
    'GetParameterNames',
    'SetParameterAttributes',
    'GetParameterAttributes',
    'AddObject',
    'DeleteObject',
    'Reboot',
    'Download',
    'FactoryReset',
    'ScheduleInform',
  ]

  /** Returns the response to one request; throws CpeFault. */
  answer(name: RpcName, body: unknown): { name: RpcName; body: unknown } {
    // Decoding has given each name its own body.
    switch (name) {
      case 'GetRPCMethods':
        return this.#response('GetRPCMethods', { MethodList: CpeRpcs.METHODS })
      case 'GetParameterNames':
        return this.#response(name, { ParameterList: this.#names(body as RequestOf<'GetParameterNames'>) })
      case 'GetParameterValues':
        return this.#response(name, {
          ParameterList: this.#values((body as RequestOf<'GetParameterValues'>).ParameterNames),
        })
      case 'SetParameterValues':
        return this.#response(name, { Status: this.#set(body as RequestOf<'SetParameterValues'>) })
      case 'AddObject':
        return this.#response(name, this.#add(body as RequestOf<'AddObject'>))
      case 'DeleteObject':
        return this.#response(name, this.#delete(body as RequestOf<'DeleteObject'>))
      case 'SetParameterAttributes':
        return this.#response(name, this.#setAttributes(body as RequestOf<'SetParameterAttributes'>))
      case 'GetParameterAttributes':
        return this.#response(name, {
          ParameterList: this.#attributes((body as RequestOf<'GetParameterAttributes'>).ParameterNames),
        })
      case 'Reboot':
        this.#effects.reboot((body as RequestOf<'Reboot'>).CommandKey)
        return this.#response(name, {})
      case 'FactoryReset':
        this.#effects.factoryReset()
        return this.#response(name, {})
      case 'ScheduleInform':
        this.#scheduleInform(body as RequestOf<'ScheduleInform'>)
        return this.#response(name, {})
      case 'Download':
        this.#download(body as RequestOf<'Download'>)
        return this.#response(name, { Status: 1, StartTime: UNKNOWN_TIME, CompleteTime: UNKNOWN_TIME })
      default:
        throw new CpeFault(9000, 'Method not supported')
    }
  }

  #scheduleInform({ DelaySeconds, CommandKey }: RequestOf<'ScheduleInform'>): void {
    if (DelaySeconds === 0) throw new CpeFault(9003, 'Invalid arguments')
    this.#effects.scheduleInform(DelaySeconds, CommandKey)
  }

  #download(request: RequestOf<'Download'>): void {
    if (!DOWNLOADABLE.test(request.FileType)) throw new CpeFault(9003, 'Invalid arguments')
    const scheme = URL.canParse(request.URL) ? new URL(request.URL).protocol : ''
    if (scheme === '') throw new CpeFault(9003, 'Invalid arguments')
    if (scheme !== 'http:' && scheme !== 'https:') throw new CpeFault(9013, 'Unsupported protocol for file transfer')
    this.#effects.download(request)
  }

  #response<N extends RpcName>(name: N, body: ResponseOf<N>): { name: RpcName; body: unknown } {
    return { name, body }
  }

  /**
   * GetParameterNames (TR-069 A.3.2.3): objects end in a dot; one level or all; the full name of a parameter needs
   * NextLevel false.
   */
  #names({ ParameterPath: asked, NextLevel }: RequestOf<'GetParameterNames'>): { Name: string; Writable: boolean }[] {
    const view = this.#view
    const root = [...view.tree.objects()].reduce(
      (shortest, path) => (path.length < shortest.length ? path : shortest),
      'InternetGatewayDevice.',
    )
    if (asked === '') return NextLevel ? [{ Name: root, Writable: false }] : this.#below(root, false)
    if (!asked.endsWith('.')) {
      if (view.get(asked) === undefined) throw new CpeFault(9005, 'Invalid parameter name')
      if (NextLevel) throw new CpeFault(9003, 'Invalid arguments')
      return [{ Name: asked, Writable: view.parameter(asked)?.access === 'w' }]
    }
    if (!view.hasObject(asked) && !this.#holdsTables(asked)) throw new CpeFault(9005, 'Invalid parameter name')
    return this.#below(asked, NextLevel)
  }

  /** Returns true for an object above a table without rows: it exists although nothing is below it. */
  #holdsTables(path: string): boolean {
    return this.#view.objectsBelow(path).length > 0
  }

  #below(object: string, nextLevel: boolean): { Name: string; Writable: boolean }[] {
    const view = this.#view
    const names = new Map<string, boolean>()
    const note = (path: string) => {
      const rest = path.slice(object.length)
      const cut = rest.indexOf('.')
      if (!nextLevel || cut < 0 || cut === rest.length - 1) names.set(path, this.#writable(path))
      if (nextLevel && cut >= 0)
        names.set(object + rest.slice(0, cut + 1), this.#writable(object + rest.slice(0, cut + 1)))
    }
    if (!nextLevel) names.set(object, this.#writable(object))
    for (const path of view.objectsBelow(object)) {
      // The table between an object and its row is an object of its own.
      if (/\.\d+\.$/.test(path) && parentOf(path) !== object) note(parentOf(path))
      note(path)
    }
    for (const path of view.parametersBelow(object)) note(path)
    for (const schema of view.tree.supported.keys()) {
      if (!schema.endsWith('.{i}.')) continue
      const table = view.fromCanonical(schema.slice(0, -4))
      if (!table.includes('{i}') && table.startsWith(object) && table !== object && view.isTable(table)) note(table)
    }
    return [...names].filter(([path]) => path !== object || !nextLevel).map(([Name, Writable]) => ({ Name, Writable }))
  }

  #writable(path: string): boolean {
    if (!path.endsWith('.')) return this.#view.parameter(path)?.access === 'w'
    return this.#view.model.object(path)?.access === 'w'
  }

  #values(names: string[]): ParameterValue[] {
    const { fault9002Above } = this.#quirks
    if (fault9002Above !== undefined && names.length > fault9002Above) throw new CpeFault(9002, 'Internal error')
    this.#cutWhenTooMuch(names)
    return names.flatMap((name) => {
      if (name === '' || name.endsWith('.')) {
        const below = this.#named(name).filter((path) => !this.#ghost(path))
        if (below.length === 0 && this.#quirks.emptyTable9005 === true)
          throw new CpeFault(9005, 'Invalid parameter name')
        return below.map((path) => this.#value(path))
      }
      return [this.#value(name)]
    })
  }

  /** Weak devices do not refuse a request that is too large: they break down. */
  #cutWhenTooMuch(names: string[]): void {
    const { cutsAbove } = this.#quirks
    if (cutsAbove === undefined) return
    if (names.length > cutsAbove || names.some((name) => /^([A-Za-z]+\.)?$/.test(name)))
      throw new ConnectionCut('the CPE broke down over a large request')
  }

  #ghost(path: string): boolean {
    return this.#quirks.ghosts !== undefined && new RegExp(this.#quirks.ghosts).test(path)
  }

  #value(path: string): ParameterValue {
    const value = this.#view.get(path)
    if (value === undefined || this.#ghost(path)) throw new CpeFault(9005, 'Invalid parameter name')
    const known = this.#view.parameter(path)?.type ?? 'string'
    const type = typeOnWire(this.#quirks, known)
    if (known !== 'boolean' || this.#quirks.booleanLiterals === true) return { name: path, value, type }
    return { name: path, value: value === 'true' ? '1' : '0', type }
  }

  /** Writes all values or none; the fault names each that is wrong. */
  #set({ ParameterList, ParameterKey }: RequestOf<'SetParameterValues'>): number {
    const seen = new Set<string>()
    const faults: CwmpFault['parameters'] = []
    for (const given of ParameterList) {
      const { name } = given
      const error = this.#problem(given, seen)
      seen.add(name)
      const rejected = this.#rejected(name)
      if (rejected !== undefined) faults.push({ name, code: rejected, text: 'refused' })
      else if (error !== undefined) faults.push({ name, code: WRITE_CODES[error.kind], text: error.text })
    }
    if (faults.length > 0) throw new CpeFault(9003, 'Invalid arguments', faults)
    for (const { name, value } of ParameterList) {
      if (this.#view.parameter(name)?.facets.c === 1) this.#effects.command(name, value)
      else this.#view.write(name, value, 'acs')
      if (name.endsWith('.DiagnosticsState') && value === 'Requested') this.#effects.diagnose(parentOf(`${name}.`))
    }
    this.#key(ParameterKey)
    return 0
  }

  /** Returns the reason why one value cannot be set. Its type on the wire is compared with the model (9006). */
  #problem(
    { name, value, type }: ParameterValue,
    seen: ReadonlySet<string>,
  ): { kind: WriteError['kind']; text: string } | undefined {
    if (seen.has(name)) return { kind: 'value', text: 'named twice' }
    const error = this.#view.check(name, value)
    if (error !== undefined) return error
    const known = this.#view.parameter(name)?.type
    const lax = this.#quirks.allStrings === true || this.#quirks.emptyTypes === true
    if (known !== undefined && !lax && !sameXsdType(type, known)) return { kind: 'type', text: `is of type ${known}` }
    if (known === 'boolean' && this.#quirks.booleanLiterals === true && !/^(true|false)$/.test(value))
      return { kind: 'value', text: 'is neither true nor false' }
    const refused = this.#effects.refuses(name, value)
    return refused === undefined ? undefined : { kind: 'value', text: refused }
  }

  #add({ ObjectName, ParameterKey }: RequestOf<'AddObject'>): { InstanceNumber: number; Status: number } {
    const rejected = this.#rejected(ObjectName)
    if (rejected !== undefined) throw new CpeFault(rejected, 'refused')
    const added = this.#view.add(ObjectName, 'acs')
    if ('kind' in added) throw new CpeFault(WRITE_CODES[added.kind], added.text)
    this.#key(ParameterKey)
    return { InstanceNumber: Number(added.row.slice(ObjectName.length, -1)), Status: 0 }
  }

  #delete({ ObjectName, ParameterKey }: RequestOf<'DeleteObject'>): { Status: number } {
    const error = this.#view.remove(ObjectName, 'acs')
    if (error !== undefined) throw new CpeFault(error.kind === 'unknown' ? 9005 : 9003, error.text)
    this.#key(ParameterKey)
    return { Status: 0 }
  }

  /**
   * Sets all or none. Values above 2 are the lightweight notifications of CWMP 1.4, which these devices do not have.
   */
  #setAttributes({ ParameterList }: RequestOf<'SetParameterAttributes'>): Record<string, never> {
    const wanted = ParameterList.flatMap(({ Name, NotificationChange, Notification }) => {
      if (NotificationChange && (Notification < 0 || Notification > 2)) throw new CpeFault(9003, 'Invalid arguments')
      return this.#named(Name).map((path) => ({ path, change: NotificationChange, notification: Notification }))
    })
    for (const { path, change, notification } of wanted) if (change) this.#notifications.set(path, notification)
    this.#onAttributes()
    return {}
  }

  #attributes(names: string[]): { Name: string; Notification: number; AccessList: string[] }[] {
    return names
      .flatMap((name) => this.#named(name))
      .map((path) => ({ Name: path, Notification: this.#notifications.get(path), AccessList: [] }))
  }

  /** Returns the parameters that a full or partial path names. */
  #named(name: string): string[] {
    if (name === '' || name.endsWith('.')) {
      if (name !== '' && !this.#view.hasObject(name) && !this.#holdsTables(name))
        throw new CpeFault(9005, 'Invalid parameter name')
      return this.#view.parametersBelow(name)
    }
    if (this.#view.get(name) === undefined) throw new CpeFault(9005, 'Invalid parameter name')
    return [name]
  }

  #rejected(path: string): number | undefined {
    const { rejectWrites } = this.#quirks
    return rejectWrites !== undefined && new RegExp(rejectWrites.pattern).test(path) ? rejectWrites.code : undefined
  }

  #key(key: string): void {
    for (const root of ['Device.', 'InternetGatewayDevice.']) {
      if (this.#view.tree.raw(`${root}ManagementServer.ParameterKey`) !== undefined)
        this.#view.tree.put(`${root}ManagementServer.ParameterKey`, key)
    }
  }
}

/**
 * Returns true when a type on the wire can be that of the model: no type is accepted, and base64 has three names
 * (TR-069 A.2.1).
 */
function sameXsdType(given: string, known: string): boolean {
  if (given === '' || given === 'anySimpleType' || given === known) return true
  if (known === 'base64') return given === 'base64Binary' || given === 'string'
  // A decimal is sent as a text too: Device:2 has no XSD type for it.
  return known === 'decimal' && given === 'string'
}
