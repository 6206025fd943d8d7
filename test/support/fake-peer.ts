import { PeerFault, TransportError } from '../../src/base/index.ts'
import {
  type Contact,
  type DeviceId,
  type ExecuteHooks,
  type Operation,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type Protocol,
} from '../../src/domain/index.ts'

/**
 * The fault of one execution. `lost`: the effect happens, and its answer is lost. `refused`: the device refuses.
 * `unsent`: no byte left. `never`: the request did not reach the device.
 */
export type Trouble = 'lost' | 'refused' | 'unsent' | 'never'

/**
 * A device behind a contact, as an engine sees it: values by path, rows, and a list of its effects. It answers as the
 * drivers do (domain/operation/contact.ts): baseline and beforeSend before an effect, `pending` for what ends later.
 */
export class FakePeer {
  readonly deviceId: DeviceId
  readonly values = new Map<string, string>()
  /** Every effect in order: `set Device.X`, `add Device.T.1.`, `reboot`, ... */
  readonly effects: string[] = []
  /** Every request that reached the driver, by verb, reads included. */
  readonly log: string[] = []
  /** Troubles of the next executions with an effect, in order. */
  readonly troubles: (Trouble | undefined)[] = []
  /** Called around each effect; a test kills the process here. */
  aroundEffect: (effect: () => void) => Promise<void> = async (effect) => effect()
  #next = 1

  constructor(deviceId: DeviceId) {
    this.deviceId = deviceId
  }

  contact(protocol: Protocol, options: { lasting?: boolean; workKnown?: boolean; signal?: AbortSignal } = {}): Contact {
    const signal = options.signal ?? new AbortController().signal
    return {
      deviceId: this.deviceId,
      protocol,
      lasting: options.lasting ?? protocol === 'usp',
      signal,
      workKnown: options.workKnown ?? true,
      execute: (operation, hooks) => this.execute(operation, hooks, protocol),
    }
  }

  async execute(operation: Operation, hooks: ExecuteHooks, protocol: Protocol): Promise<OperationResult> {
    const { request } = operation
    this.log.push(`${request.verb} ${protocol}`)
    if (request.verb === 'get') return this.#get(request.paths)
    if (request.verb === 'discover') return this.#get([request.path ?? ''])
    const trouble = this.troubles.shift()
    const baseline = request.verb === 'add' ? { instances: this.rows(request.object) } : undefined
    await hooks.beforeSend(baseline)
    if (trouble === 'unsent') throw new TransportError('refused', 'connection refused', { sent: false })
    if (trouble === 'never') throw new TransportError('reset', 'connection reset')
    if (trouble === 'refused') throw new PeerFault(9002, 'internal error', { retryable: true })
    let result: OperationResult = { outcome: 'done', results: [] }
    await this.aroundEffect(() => {
      result = this.#effect(operation)
    })
    if (trouble === 'lost') throw new TransportError('reset', 'connection reset')
    return result
  }

  /** Rows of a table. */
  rows(table: string): string[] {
    const rows = new Set<string>()
    for (const path of this.values.keys()) {
      const instance = /^\d+(?=\.)/.exec(path.slice(table.length))?.[0]
      if (path.startsWith(table) && instance !== undefined) rows.add(`${table}${instance}.`)
    }
    return [...rows]
  }

  #get(paths: string[]): OperationResult {
    const results = paths.flatMap((path): PathOutcome[] => {
      const found = [...this.values].filter(
        ([name]) => name === path || (/(^|\.)$/.test(path) && name.startsWith(path)),
      )
      if (found.length === 0) return [{ path, error: outcomeError('7026', 'invalid path') }]
      return found.map(([name, value]) => ({ path: name, value }))
    })
    return { outcome: 'done', results }
  }

  #effect(operation: Operation): OperationResult {
    const { request } = operation
    switch (request.verb) {
      case 'set':
        for (const { path, value } of request.values) {
          this.effects.push(`set ${path}`)
          this.values.set(path, value)
        }
        return { outcome: 'done', results: request.values.map(({ path, value }) => ({ path, value })) }
      case 'add': {
        const row = `${request.object}${this.#next++}.`
        this.effects.push(`add ${row}`)
        this.values.set(`${row}Alias`, `cpe-${row}`)
        for (const [name, value] of Object.entries(request.values)) this.values.set(row + name, value)
        return { outcome: 'done', results: [{ path: request.object, created: row }] }
      }
      case 'delete':
        for (const path of request.paths) {
          this.effects.push(`delete ${path}`)
          for (const name of [...this.values.keys()]) if (name.startsWith(path)) this.values.delete(name)
        }
        return { outcome: 'done', results: request.paths.map((path) => ({ path })) }
      case 'subscribe': {
        this.effects.push(`subscribe ${request.id}`)
        const row = `Device.LocalAgent.Subscription.${this.#next++}.`
        this.values.set(`${row}ID`, request.id)
        this.values.set(`${row}Enable`, 'true')
        this.values.set(`${row}NotifType`, request.notifType)
        this.values.set(`${row}ReferenceList`, request.paths.join(','))
        return { outcome: 'done', results: [{ path: row }] }
      }
      default:
        this.effects.push(request.verb)
        return { outcome: 'pending', results: [] }
    }
  }
}
