import type { Operation, OperationResult, PathOutcome } from '../../src/domain/index.ts'
import type { Answer } from './planner-world.ts'

const failed = (code: string, text: string, results: PathOutcome[] = []): OperationResult => ({
  outcome: 'failed',
  results,
  error: { code, text, retryable: false },
})

/**
 * A device as its answers to operations show it: values by CWMP path, refused paths, and the protocols over which it
 * connects.
 */
export class AnsweringDevice {
  readonly values = new Map<string, string>()
  /** Ends of paths that it refuses to be set, by protocol. */
  readonly refuses = { cwmp: [] as string[], usp: [] as string[] }
  /** Tables that CWMP cannot add rows to. */
  readonly readOnlyTables: string[] = []
  /** It does not connect over this protocol. */
  readonly absent = { cwmp: false, usp: false }
  /** Values that it shows over USP alone. */
  readonly overUsp = new Map<string, string>()
  #next = 1

  constructor(serial: string) {
    this.put('Device.USPAgent.', { EndpointID: `os::0C96BF-${serial}` })
    this.put('Device.USPAgent.ControllerTrust.Role.1.', { Name: 'Full Access', Enable: 'true' })
    this.put('Device.ManagementServer.', { PeriodicInformInterval: '300' })
    this.put('Device.DeviceInfo.', {
      ManufacturerOUI: '0C96BF',
      ProductClass: 'CPE',
      SerialNumber: serial,
      SoftwareVersion: '1.0',
    })
  }

  put(object: string, values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) this.values.set(object + name, value)
  }

  /** Instance paths of a table. */
  rows(table: string): string[] {
    const rows = [...this.values.keys()]
      .filter((path) => path.startsWith(table))
      .map((path) => `${table}${path.slice(table.length).split('.')[0]}.`)
    return [...new Set(rows)].filter((row) => /\.\d+\.$/.test(row)).sort()
  }

  /** True when an enabled Controller row of ours leads its Agent to us. */
  get dials(): boolean {
    return this.rows('Device.USPAgent.Controller.').some(
      (row) =>
        this.values.get(`${row}EndpointID`) === 'proto::isthmus-test' && this.values.get(`${row}Enable`) === 'true',
    )
  }

  /** Gives rows other numbers, as devices against the standard do. */
  renumber(from: string, to: string): void {
    for (const [path, value] of [...this.values]) {
      if (!path.startsWith(from)) continue
      this.values.delete(path)
      this.values.set(to + path.slice(from.length), value)
    }
  }

  readonly answer: Answer = (operation) => {
    const via = operation.via ?? 'cwmp'
    if (this.absent[via]) return operation.expiresAt === 0 ? 'expired' : undefined
    return this.#play(operation, via)
  }

  #play({ request }: Operation, via: 'cwmp' | 'usp'): OperationResult {
    const own = (path: string) => path.replace('Device.LocalAgent.', 'Device.USPAgent.')
    switch (request.verb) {
      case 'get':
        return { outcome: 'done', results: request.paths.flatMap((path) => this.#read(path, own(path), via)) }
      case 'set': {
        const no = request.values.find(({ path }) => this.#refused(path, via))
        if (no !== undefined) return failed(via === 'cwmp' ? '9008' : '7013', `${no.path} is not writable`)
        for (const { path, value } of request.values) this.values.set(own(path), value)
        return { outcome: 'done', results: request.values.map(({ path }) => ({ path })) }
      }
      case 'add': {
        if (this.readOnlyTables.includes(request.object))
          return failed('9002', 'Cannot add instances to a read only table')
        const no = Object.keys(request.values).find((name) => this.#refused(name, via))
        if (no !== undefined) return failed('9007', `${no} is not accepted`)
        const row = `${request.object}${++this.#next}.`
        this.put(row, request.values)
        return { outcome: 'done', results: [{ path: request.object, created: row }] }
      }
      case 'delete': {
        const [path = ''] = request.paths
        const gone = [...this.values.keys()].filter((one) => one.startsWith(path))
        for (const one of gone) this.values.delete(one)
        return gone.length > 0 ? { outcome: 'done', results: [{ path }] } : failed('9005', 'no such row')
      }
      default:
        return { outcome: 'done', results: [] }
    }
  }

  #refused(path: string, via: 'cwmp' | 'usp'): boolean {
    return this.refuses[via].some((end) => path === end || path.endsWith(`.${end}`))
  }

  #read(path: string, own: string, via: 'cwmp' | 'usp'): PathOutcome[] {
    const told = (one: string) => (via === 'usp' ? this.overUsp.get(one) : undefined) ?? this.values.get(one)
    if (!own.endsWith('.')) {
      const value = told(own)
      return value === undefined
        ? [{ path, error: { code: '9005', text: 'no such parameter', retryable: false } }]
        : [{ path, value, type: 'string' }]
    }
    return [...this.values.keys()]
      .filter((one) => one.startsWith(own))
      .map((one) => ({ path: path + one.slice(own.length), value: told(one) ?? '', type: 'string' }))
  }
}
