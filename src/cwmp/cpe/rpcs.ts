import type { CwmpFault, ParameterValue, RequestOf, ResponseOf } from '../wire/index.ts'
import { type AcsRequest, type CpeAnswer, CpeFault } from './cpe-methods.ts'
import type { CpeModel, ModelProblem } from './cpe-model.ts'
import type { Notifications } from './notifications.ts'
import { sameXsdType, valueOnWire } from './values.ts'

/** The effects of requests besides their answers and the writes to the model. */
interface CpeEffects {
  reboot(commandKey: string): void
  factoryReset(): void
  download(request: RequestOf<'Download'>): void
  scheduleInform(delayS: number, commandKey: string): void
  /** Notification attributes have changed. */
  attributesChanged(): void
}

/** These devices take firmware and configuration files (TR-069 A.3.2.8). */
const DOWNLOADABLE = /^[13] /
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** The names of the methods that the CPE has. */
const METHODS = [
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

/** Answers the requests of the ACS over the model of a device (TR-069 A.3.2). */
export class CpeRpcs {
  readonly #model: CpeModel
  readonly #effects: CpeEffects
  readonly #notifications: Notifications
  readonly #vendorFiles: readonly string[]

  constructor(model: CpeModel, effects: CpeEffects, notifications: Notifications, vendorFiles: readonly string[] = []) {
    this.#model = model
    this.#effects = effects
    this.#notifications = notifications
    this.#vendorFiles = vendorFiles
  }

  /** Returns the answer to one request; throws CpeFault. */
  answer(request: AcsRequest): CpeAnswer {
    const { name } = request
    switch (name) {
      case 'GetRPCMethods':
        return { response: { kind: 'response', name, body: { MethodList: METHODS } } }
      case 'GetParameterNames':
        return { response: { kind: 'response', name, body: { ParameterList: this.#names(request.body) } } }
      case 'GetParameterValues':
        return { response: { kind: 'response', name, body: { ParameterList: this.#values(request.body) } } }
      case 'SetParameterValues':
        return { response: { kind: 'response', name, body: this.#set(request.body) } }
      case 'AddObject':
        return { response: { kind: 'response', name, body: this.#add(request.body) } }
      case 'DeleteObject':
        return { response: { kind: 'response', name, body: this.#delete(request.body) } }
      case 'SetParameterAttributes':
        return { response: { kind: 'response', name, body: this.#setAttributes(request.body) } }
      case 'GetParameterAttributes':
        return { response: { kind: 'response', name, body: this.#attributes(request.body) } }
      case 'Reboot': {
        const { CommandKey } = request.body
        return { response: { kind: 'response', name, body: {} }, afterSession: () => this.#effects.reboot(CommandKey) }
      }
      case 'FactoryReset':
        return { response: { kind: 'response', name, body: {} }, afterSession: () => this.#effects.factoryReset() }
      case 'ScheduleInform':
        return { response: { kind: 'response', name, body: this.#scheduleInform(request.body) } }
      case 'Download':
        return { response: { kind: 'response', name, body: this.#download(request.body) } }
      default:
        throw new CpeFault(9000, 'Method not supported')
    }
  }

  #scheduleInform({ DelaySeconds, CommandKey }: RequestOf<'ScheduleInform'>): ResponseOf<'ScheduleInform'> {
    if (DelaySeconds === 0) throw new CpeFault(9003, 'Invalid arguments')
    this.#effects.scheduleInform(DelaySeconds, CommandKey)
    return {}
  }

  #download(request: RequestOf<'Download'>): ResponseOf<'Download'> {
    const { FileType } = request
    if (!DOWNLOADABLE.test(FileType) && !this.#vendorFiles.includes(FileType))
      throw new CpeFault(9003, 'Invalid arguments')
    const scheme = URL.canParse(request.URL) ? new URL(request.URL).protocol : ''
    if (scheme === '') throw new CpeFault(9003, 'Invalid arguments')
    if (scheme !== 'http:' && scheme !== 'https:') throw new CpeFault(9013, 'Unsupported protocol for file transfer')
    this.#effects.download(request)
    return { Status: 1, StartTime: UNKNOWN_TIME, CompleteTime: UNKNOWN_TIME }
  }

  /**
   * GetParameterNames (TR-069 A.3.2.3): objects end in a dot; one level or all; the full name of a parameter needs
   * NextLevel false.
   */
  #names({ ParameterPath: asked, NextLevel }: RequestOf<'GetParameterNames'>): { Name: string; Writable: boolean }[] {
    const { root } = this.#model
    if (asked === '') return NextLevel ? [{ Name: root, Writable: false }] : this.#below(root, false)
    const node = this.#model.find(asked)
    if (node === undefined) throw new CpeFault(9005, 'Invalid parameter name')
    if (asked.endsWith('.')) return this.#below(asked, NextLevel)
    if (NextLevel) throw new CpeFault(9003, 'Invalid arguments')
    return [{ Name: asked, Writable: node.writable }]
  }

  #below(object: string, nextLevel: boolean): { Name: string; Writable: boolean }[] {
    const names = new Set(nextLevel ? [] : [object])
    for (const path of [...this.#model.objects(object), ...this.#model.parameters(object)]) {
      const level = path.indexOf('.', object.length) + 1
      names.add(nextLevel && level > 0 ? path.slice(0, level) : path)
    }
    return [...names].map((Name) => ({ Name, Writable: this.#model.find(Name)?.writable === true }))
  }

  /** GetParameterValues (TR-069 A.3.2.2): a partial path stands for all parameters below it. */
  #values({ ParameterNames }: RequestOf<'GetParameterValues'>): ParameterValue[] {
    return ParameterNames.flatMap((asked) => {
      const values = this.#named(asked).flatMap((path) => valueOnWire(this.#model, path) ?? [])
      if (values.length === 0 && !isPartial(asked)) throw new CpeFault(9005, 'Invalid parameter name')
      return values
    })
  }

  /** Writes all values or none; the fault names each that is wrong (TR-069 A.3.2.1). */
  #set({ ParameterList, ParameterKey }: RequestOf<'SetParameterValues'>): ResponseOf<'SetParameterValues'> {
    const seen = new Set<string>()
    const faults: CwmpFault['parameters'] = []
    for (const given of ParameterList) {
      const { name } = given
      const problem = seen.has(name) ? { code: 9007, text: 'named twice' } : this.#problem(given)
      seen.add(name)
      if (problem !== undefined) faults.push({ name, ...problem })
    }
    if (faults.length > 0) throw new CpeFault(9003, 'Invalid arguments', faults)
    this.#model.set(ParameterList.map(({ name, value }) => ({ path: name, value })))
    this.#key(ParameterKey)
    return { Status: 0 }
  }

  /** Returns the reason why one value cannot be set. Its type on the wire is compared with the model (9006). */
  #problem({ name, value, type }: ParameterValue): ModelProblem | undefined {
    const problem = this.#model.check(name, value)
    const known = this.#model.find(name)?.type
    if (problem !== undefined || known === undefined || sameXsdType(type, known)) return problem
    return { code: 9006, text: `is of type ${known}` }
  }

  #add({ ObjectName, ParameterKey }: RequestOf<'AddObject'>): ResponseOf<'AddObject'> {
    const added = this.#model.add(ObjectName)
    if ('code' in added) throw new CpeFault(added.code, added.text)
    this.#key(ParameterKey)
    return { InstanceNumber: Number(added.row.slice(ObjectName.length, -1)), Status: 0 }
  }

  #delete({ ObjectName, ParameterKey }: RequestOf<'DeleteObject'>): ResponseOf<'DeleteObject'> {
    const problem = this.#model.remove(ObjectName)
    if (problem !== undefined) throw new CpeFault(problem.code, problem.text)
    this.#key(ParameterKey)
    return { Status: 0 }
  }

  /**
   * Sets all or none. Values above 2 are the lightweight notifications of CWMP 1.4, which these devices do not have.
   */
  #setAttributes({ ParameterList }: RequestOf<'SetParameterAttributes'>): ResponseOf<'SetParameterAttributes'> {
    const wanted = ParameterList.flatMap(({ Name, NotificationChange, Notification }) => {
      if (NotificationChange && (Notification < 0 || Notification > 2)) throw new CpeFault(9003, 'Invalid arguments')
      return this.#named(Name).map((path) => ({ path, change: NotificationChange, notification: Notification }))
    })
    for (const { path, change, notification } of wanted) if (change) this.#notifications.set(path, notification)
    this.#effects.attributesChanged()
    return {}
  }

  #attributes({ ParameterNames }: RequestOf<'GetParameterAttributes'>): ResponseOf<'GetParameterAttributes'> {
    const paths = ParameterNames.flatMap((name) => this.#named(name))
    return {
      ParameterList: paths.map((Name) => ({ Name, Notification: this.#notifications.get(Name), AccessList: [] })),
    }
  }

  /** Returns the parameters that a full or partial path names. */
  #named(name: string): readonly string[] {
    if (name !== '' && this.#model.find(name) === undefined) throw new CpeFault(9005, 'Invalid parameter name')
    return isPartial(name) ? this.#model.parameters(name) : [name]
  }

  #key(key: string): void {
    const path = `${this.#model.root}ManagementServer.ParameterKey`
    if (this.#model.own(path) !== undefined) this.#model.put(path, key, 'acs')
  }
}

function isPartial(name: string): boolean {
  return name === '' || name.endsWith('.')
}
