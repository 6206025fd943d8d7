import { parentOf, type TreeView, type WriteError } from '../../datamodel/index.ts'
import type { CwmpFault, ParameterValue, RequestOf, ResponseOf, RpcName } from '../wire/index.ts'

/** How a box errs on purpose. */
export interface CpeQuirks {
  /** GetParameterValues of more names than this is answered with 9002. */
  fault9002Above?: number
  /** Values come without xsi:type. */
  emptyTypes?: boolean
  noCookies?: boolean
  /** Waits this long before each answer. */
  answerDelayMs?: number
  /** Writes to paths that match are refused with this fault. */
  rejectWrites?: { pattern: string; code: number }
  /** The connection is cut after this many requests of a session, once in a while. */
  dropAfterRequests?: number
}

/** What a request does besides answering. */
export interface CpeEffects {
  reboot(commandKey: string): void
  factoryReset(): void
  download(request: RequestOf<'Download'>): void
  scheduleInform(delayS: number, commandKey: string): void
  /** A command-like parameter was set: `true`, or what it is to be done with. */
  command(path: string, value: string): void
  /** DiagnosticsState of this object was set to Requested. */
  diagnose(object: string): void
  /** Why a command cannot take this value; undefined: it can. Asked before anything is written. */
  refuses(path: string, value: string): string | undefined
}

/** An RPC refused, as it goes on the wire. */
export class CpeFault extends Error {
  readonly fault: CwmpFault
  constructor(code: number, text: string, parameters: CwmpFault['parameters'] = []) {
    super(text)
    this.fault = { code, text, parameters }
  }
}

const WRITE_CODES: Record<WriteError['kind'], number> = {
  unknown: 9005,
  notWritable: 9008,
  type: 9006,
  value: 9007,
  notTable: 9005,
  notCreatable: 9003,
  duplicateKey: 9003,
}
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** Answers the ACS's requests out of a box's tree (TR-069 A.3.2). */
export class CpeRpcs {
  readonly #view: TreeView
  readonly #quirks: CpeQuirks
  readonly #effects: CpeEffects
  /** Notification attribute by path: 1 passive, 2 active. */
  readonly notifications: Map<string, number>

  constructor(view: TreeView, quirks: CpeQuirks, effects: CpeEffects, notifications: Map<string, number>) {
    this.#view = view
    this.#quirks = quirks
    this.#effects = effects
    this.notifications = notifications
  }

  /** Names of the methods this box has. */
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

  /** The response of one request; throws CpeFault. */
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
        this.#effects.scheduleInform(
          (body as RequestOf<'ScheduleInform'>).DelaySeconds,
          (body as RequestOf<'ScheduleInform'>).CommandKey,
        )
        return this.#response(name, {})
      case 'Download':
        this.#effects.download(body as RequestOf<'Download'>)
        return this.#response(name, { Status: 1, StartTime: UNKNOWN_TIME, CompleteTime: UNKNOWN_TIME })
      default:
        throw new CpeFault(9000, 'Method not supported')
    }
  }

  #response<N extends RpcName>(name: N, body: ResponseOf<N>): { name: RpcName; body: unknown } {
    return { name, body }
  }

  /** Section 6, GPN: objects end in a dot; one level or all; a parameter's full name needs NextLevel false. */
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

  /** Objects on the way to a table without rows exist although nothing is below them. */
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
    return names.flatMap((name) => {
      if (name === '' || name.endsWith('.')) {
        if (name !== '' && !this.#view.hasObject(name) && !this.#holdsTables(name))
          throw new CpeFault(9005, 'Invalid parameter name')
        return this.#view.parametersBelow(name).map((path) => this.#value(path))
      }
      return [this.#value(name)]
    })
  }

  #value(path: string): ParameterValue {
    const value = this.#view.get(path)
    if (value === undefined) throw new CpeFault(9005, 'Invalid parameter name')
    const type = this.#quirks.emptyTypes === true ? '' : (this.#view.parameter(path)?.type ?? 'string')
    return { name: path, value: type === 'boolean' ? (value === 'true' ? '1' : '0') : value, type }
  }

  /** All or nothing; every bad one is named. */
  #set({ ParameterList, ParameterKey }: RequestOf<'SetParameterValues'>): number {
    const seen = new Set<string>()
    const faults: CwmpFault['parameters'] = []
    for (const { name, value } of ParameterList) {
      const refused = seen.has(name) ? 'named twice' : this.#effects.refuses(name, value)
      const error = refused === undefined ? this.#view.check(name, value) : { kind: 'value' as const, text: refused }
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

  #setAttributes({ ParameterList }: RequestOf<'SetParameterAttributes'>): Record<string, never> {
    for (const { Name, NotificationChange, Notification } of ParameterList) {
      const paths = Name.endsWith('.') ? this.#view.parametersBelow(Name) : [Name]
      for (const path of paths) {
        if (this.#view.get(path) === undefined) throw new CpeFault(9005, 'Invalid parameter name')
        if (NotificationChange) this.notifications.set(path, Notification)
      }
    }
    return {}
  }

  #attributes(names: string[]): { Name: string; Notification: number; AccessList: string[] }[] {
    return names.flatMap((name) => {
      const paths = name.endsWith('.') ? this.#view.parametersBelow(name) : [name]
      return paths.map((path) => {
        if (this.#view.get(path) === undefined) throw new CpeFault(9005, 'Invalid parameter name')
        return { Name: path, Notification: this.notifications.get(path) ?? 0, AccessList: [] }
      })
    })
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
