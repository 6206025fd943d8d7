import { X509Certificate } from 'node:crypto'
import {
  type OperationRequest,
  type OperationResult,
  type PathOutcome,
  type Protocol,
  shownValue,
} from '../../../src/domain/index.ts'
import { canonical } from './canonical.ts'

export const OUR_ENDPOINT = 'proto::isthmus-test'
export const OUR_HOST = 'usp.isthmus.test'
const AGENT = 'Device.USPAgent.'
export const CONTROLLERS = `${AGENT}Controller.`
export const ENDPOINT = `${AGENT}EndpointID`
export const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
export const OWN_INTERVAL = '300'

/** The ways in which models differ. */
export interface Quirks {
  /** It has a role that may do everything; else a plan adds one. */
  fullRole: boolean
  /** Its trust tables cannot be written over CWMP. */
  trustReadOnly: boolean
  /**
   * A Controller row that names us is there from the start: `bare` without an MTP row, `mtp` with one, `dials` enabled
   * and leading to us.
   */
  own: 'none' | 'bare' | 'mtp' | 'dials'
  /** A factory reset brings that row back; else it takes the row away. */
  ownInFactory: boolean
  /** It keeps the link of a Controller row that is gone or disabled, and answers nothing on it. */
  keepsSocket: boolean
  /** Its Agent has no ScheduleTimer(). */
  noTimer: boolean
  /** It refuses wished values over CWMP. */
  plain: boolean
  /** It does not let a row be disabled. Not with a row of its own, which could not become what it was. */
  noDisable: boolean
  /** A new row gets the lowest number that is free; else a number is used once. */
  reusesNumbers: boolean
  /** It connects when it is asked to; else by its inform interval alone. */
  wakeable: boolean
  /** Its Controller rows have other numbers after a boot. */
  renumbers: boolean
}

/** Tables with the parameters that a new row has, by the path with `{i}` for numbers. */
const TABLES: Record<string, Record<string, string>> = {
  [CONTROLLERS]: {
    Enable: 'false',
    EndpointID: '',
    AssignedRole: '',
    Credential: '',
    ControllerCode: '',
    ProvisioningCode: '',
    PeriodicNotifInterval: '86400',
    SendOnBoardRequest: 'false',
  },
  [`${CONTROLLERS}{i}.MTP.`]: {
    Enable: 'false',
    Protocol: '',
    'WebSocket.Host': '',
    'WebSocket.Port': '',
    'WebSocket.Path': '',
    'WebSocket.EnableEncryption': 'false',
    'WebSocket.KeepAliveInterval': '30',
  },
  [`${AGENT}ControllerTrust.Role.`]: { Enable: 'false', Name: '' },
  [`${AGENT}ControllerTrust.Role.{i}.Permission.`]: {
    Enable: 'false',
    Targets: '',
    Order: '0',
    Param: '----',
    Obj: '----',
    InstantiatedObj: '----',
    CommandEvent: '----',
  },
  [`${AGENT}ControllerTrust.Credential.`]: { Enable: 'false', Credential: '', Role: '', AllowedUses: '' },
}
/** Numbers of new rows begin here, so that none is one that a row of the factory has or had. */
const FIRST_NUMBER = 10
const SERIALS = new Map<string, string>()
/** Paths of which `shownValue` is known to show every value as it is. */
const PLAIN = new Set<string>()
const WISHED = /(AssignedRole|KeepAliveInterval|AllowedUses)$/
const TRUST = `${AGENT}ControllerTrust.`

const failed = (code: string, text: string): OperationResult => ({
  outcome: 'failed',
  results: [],
  error: { code, text, retryable: false },
})

/** The data model of a simulated CPE with its Agent, as both protocols see it. */
export class DataModel {
  readonly serial: string
  readonly endpointId: string
  readonly quirks: Quirks
  values = new Map<string, string>()
  /** The data model as it was before any plan, or since the last factory reset. */
  before: string
  /** Refuses DeleteObject for the time being. */
  refusesDelete = false
  /** Refuses everything that is written over CWMP. */
  refusesAll = false
  /** Tells another firmware over USP than over CWMP. */
  liesOverUsp = false
  #now: string | undefined
  #ways: string[] | undefined
  readonly #next = new Map<string, number>()

  constructor(serial: string, endpointId: string, quirks: Quirks) {
    this.serial = serial
    this.endpointId = endpointId
    this.quirks = quirks
    this.#factory(true)
    this.before = canonical(this.values)
  }

  /** It holds what it held before any plan, or what its last factory reset left. */
  get isAsBefore(): boolean {
    return this.nowText === this.before
  }

  /** Its data model as text that can be compared. */
  get nowText(): string {
    this.#now ??= canonical(this.values)
    return this.#now
  }

  /** An enabled Controller row with an enabled MTP row leads its Agent to us. */
  get dials(): boolean {
    return this.#way() !== undefined
  }

  /** The path that its Agent dials; '' when it does not. */
  get path(): string {
    const way = this.#way()
    return way === undefined ? '' : (this.values.get(`${way}WebSocket.Path`) ?? '')
  }

  #way(): string | undefined {
    this.#ways ??= this.rows(CONTROLLERS)
      .filter((row) => this.#has(row, { EndpointID: OUR_ENDPOINT, Enable: 'true' }))
      .flatMap((row) => this.rows(`${row}MTP.`))
      .filter((mtp) => this.#has(mtp, { Enable: 'true', Protocol: 'WebSocket', 'WebSocket.Host': OUR_HOST }))
    return this.#ways[0]
  }

  #has(row: string, wanted: Record<string, string>): boolean {
    return Object.entries(wanted).every(([name, value]) => this.values.get(row + name) === value)
  }

  get interval(): string {
    return this.values.get(INTERVAL) ?? ''
  }

  /** Instance paths of a table. */
  rows(table: string): string[] {
    const rows = new Set<string>()
    for (const path of this.values.keys()) {
      if (!path.startsWith(table)) continue
      const number = path.slice(table.length, path.indexOf('.', table.length))
      if (/^\d+$/.test(number)) rows.add(`${table}${number}.`)
    }
    return [...rows]
  }

  /** Everything as the factory made it. */
  reset(): void {
    this.#factory(this.quirks.ownInFactory)
    this.before = canonical(this.values)
  }

  /** Against the rules, its Controller rows get other numbers, none that a row had before. */
  renumber(): void {
    this.#changed()
    for (const row of this.rows(CONTROLLERS)) {
      const to = `${CONTROLLERS}${this.#number(CONTROLLERS, false)}.`
      for (const [path, value] of [...this.values]) {
        if (!path.startsWith(row)) continue
        this.values.delete(path)
        this.values.set(to + path.slice(row.length), value)
      }
    }
  }

  /** Does what an operation asks for and answers as a driver does. */
  play(request: OperationRequest, via: Protocol): OperationResult {
    if (request.verb !== 'get') this.#changed()
    if (via === 'cwmp' && this.refusesAll && request.verb !== 'get') return failed('9001', 'refused')
    switch (request.verb) {
      case 'get':
        return { outcome: 'done', results: request.paths.flatMap((path) => this.#read(path, via)) }
      case 'set':
        return this.#set(request.values, via)
      case 'add':
        return this.#add(request.object, request.values)
      case 'delete':
        return this.#delete(request.paths[0] ?? '')
      case 'operate':
        return this.quirks.noTimer ? failed('7022', 'no such command') : { outcome: 'done', results: [] }
      default:
        return { outcome: 'done', results: [] }
    }
  }

  #changed(): void {
    this.#now = undefined
    this.#ways = undefined
  }

  #set(values: { path: string; value: string }[], via: Protocol): OperationResult {
    for (const { path, value } of values) {
      const own = ownPath(path)
      if (own === `${AGENT}AddCertificate`) continue
      if (!this.values.has(own)) return failed(via === 'cwmp' ? '9005' : '7026', `no ${path}`)
      if (via === 'cwmp' && this.quirks.plain && WISHED.test(own)) return failed('9007', `${path} is not accepted`)
      if (via === 'cwmp' && this.quirks.trustReadOnly && own.startsWith(TRUST)) return failed('9008', 'not writable')
      const stays = this.quirks.noDisable && this.quirks.own === 'none'
      if (stays && own.endsWith('Enable') && value === 'false' && own.startsWith(CONTROLLERS))
        return failed('9001', 'cannot be disabled')
    }
    for (const { path, value } of values) {
      const own = ownPath(path)
      if (own === `${AGENT}AddCertificate`) this.#certificate(value)
      else if (!own.endsWith('.SendOnBoardRequest')) this.values.set(own, value)
    }
    return { outcome: 'done', results: values.map(({ path }) => ({ path })) }
  }

  #add(object: string, values: Record<string, string>): OperationResult {
    const defaults = TABLES[object.replaceAll(/\.\d+\./g, '.{i}.')]
    if (defaults === undefined) return failed('9005', `no table ${object}`)
    if (this.quirks.trustReadOnly && object.startsWith(TRUST)) return failed('9008', `${object} is read-only`)
    const parent = object.replace(/[^.]+\.$/, '')
    if (/\.\d+\.$/.test(parent) && ![...this.values.keys()].some((path) => path.startsWith(parent)))
      return failed('9005', `no row ${parent}`)
    const wrong = Object.keys(values).find((name) => !(name in defaults) || (this.quirks.plain && WISHED.test(name)))
    if (wrong !== undefined) return failed('9007', `${wrong} is not accepted`)
    const row = `${object}${this.#number(object, this.quirks.reusesNumbers)}.`
    for (const [name, value] of Object.entries({ ...defaults, ...values })) this.values.set(row + name, value)
    return { outcome: 'done', results: [{ path: object, created: row }] }
  }

  #delete(row: string): OperationResult {
    if (this.refusesDelete) return failed('9002', 'cannot be deleted now')
    const gone = [...this.values.keys()].filter((path) => path.startsWith(row))
    for (const path of gone) this.values.delete(path)
    return gone.length > 0 ? { outcome: 'done', results: [{ path: row }] } : failed('9005', `no row ${row}`)
  }

  #read(path: string, via: Protocol): PathOutcome[] {
    const own = ownPath(path)
    const told = (one: string) =>
      via === 'usp' && this.liesOverUsp && one.endsWith('.SoftwareVersion') ? '9.9' : this.values.get(one)
    // Results hold secrets in masked form only.
    const outcome = (one: string, value: string): PathOutcome => ({
      path: one,
      value: PLAIN.has(one) ? value : shown(one, value),
      type: 'string',
    })
    if (!own.endsWith('.')) {
      const value = told(own)
      return value === undefined
        ? [{ path, error: { code: via === 'cwmp' ? '9005' : '7026', text: 'no such parameter', retryable: false } }]
        : [outcome(path, value)]
    }
    const found: PathOutcome[] = []
    for (const one of this.values.keys())
      if (one.startsWith(own)) found.push(outcome(path + one.slice(own.length), told(one) ?? ''))
    return found
  }

  #certificate(pem: string): void {
    const serialNumber = SERIALS.get(pem) ?? new X509Certificate(pem).serialNumber
    SERIALS.set(pem, serialNumber)
    const table = `${AGENT}Certificate.`
    if (this.rows(table).some((row) => this.values.get(`${row}SerialNumber`) === serialNumber)) return
    this.values.set(`${table}${this.#number(table, true)}.SerialNumber`, serialNumber)
  }

  #number(table: string, lowest: boolean): number {
    const used = this.rows(table).map((row) => Number(row.slice(table.length, -1)))
    if (!lowest) {
      const next = Math.max(this.#next.get(table) ?? FIRST_NUMBER, ...used.map((number) => number + 1))
      this.#next.set(table, next + 1)
      return next
    }
    let number = 1
    while (used.includes(number)) number++
    return number
  }

  #factory(own: boolean): void {
    this.#changed()
    this.values = new Map()
    const put = (object: string, values: Record<string, string>) => {
      for (const [name, value] of Object.entries(values)) this.values.set(object + name, value)
    }
    put(AGENT, { EndpointID: this.endpointId })
    put('Device.DeviceInfo.', {
      ManufacturerOUI: '0C96BF',
      ProductClass: 'CPE',
      SerialNumber: this.serial,
      SoftwareVersion: '1.0',
    })
    this.values.set(INTERVAL, OWN_INTERVAL)
    const role = this.quirks.fullRole ? 'Full Access' : 'Guest'
    put(`${TRUST}Role.1.`, { Enable: 'true', Name: role })
    put(`${CONTROLLERS}1.`, { ...TABLES[CONTROLLERS], Enable: 'true', EndpointID: 'proto::vendor' })
    if (this.quirks.own === 'none' || !own) return
    const dials = this.quirks.own === 'dials'
    const Enable = String(dials)
    put(`${CONTROLLERS}2.`, { ...TABLES[CONTROLLERS], Enable, EndpointID: OUR_ENDPOINT, ControllerCode: 'vendor' })
    if (this.quirks.own === 'bare') return
    put(`${CONTROLLERS}2.MTP.1.`, {
      ...TABLES[`${CONTROLLERS}{i}.MTP.`],
      Enable,
      Protocol: 'WebSocket',
      'WebSocket.Host': dials ? OUR_HOST : 'old.isthmus.test',
      'WebSocket.Path': '/usp',
    })
  }
}

function shown(path: string, value: string): string {
  // The WebSocket path is masked by what it holds, a secret by its name.
  if (!path.endsWith('.Path') && shownValue(path, 'x') === 'x') PLAIN.add(path)
  return shownValue(path, value)
}

function ownPath(path: string): string {
  return path.startsWith('Device.LocalAgent.') ? AGENT + path.slice('Device.LocalAgent.'.length) : path
}
