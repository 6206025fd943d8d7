import { BoundedMap, BoundedSet, type Clock, type Log } from '../../base/index.ts'
import {
  type DeviceIdentity,
  type EndpointId,
  type NewEvent,
  type PendingAgentStore,
  pendingAgentId,
  type Refusal,
} from '../../domain/index.ts'

interface PendingAgentsDeps {
  pendingAgents: PendingAgentStore
  clock: Clock
  log: Log
}

/** A refused Agent, as its link shows it. */
export interface RefusedAgent {
  /** '' when the Agent has named none. */
  endpointId: string
  address: string
  /** True when a client certificate carries the Endpoint ID. */
  proven: boolean
  claim?: DeviceIdentity
}

/** An Agent is written once in this time; its refusals in between are counted. */
const WRITE_MS = 60_000
/** Interval at which blocks of other instances are read. */
const LOOK_MS = 60_000
const MAX_KNOWN = 10_000
const MAX_LISTED = 20_000
const MAX_WRITES = 100

/** Stores refused Agents as pending Agents, and keeps the Endpoint IDs that are blocked. */
export class PendingAgents {
  readonly #deps: PendingAgentsDeps
  readonly #known = new BoundedMap<string, { writtenAt: number; count: number; claim?: DeviceIdentity }>(MAX_KNOWN)
  readonly #writes = new Set<Promise<void>>()
  /** Endpoint IDs with an entry, as far as this instance knows. */
  readonly #listed = new BoundedSet<string>(MAX_LISTED)
  #blocked = new Set<string>()
  #cancel: (() => void) | undefined

  constructor(deps: PendingAgentsDeps) {
    this.#deps = deps
  }

  /** Reads which Agents are blocked, now and every minute until `stop`. */
  async start(): Promise<void> {
    const { pendingAgents } = this.#deps
    for (const endpointId of await pendingAgents.endpointIds('all')) this.#listed.add(endpointId)
    this.#blocked = new Set(await pendingAgents.endpointIds('blocked'))
    this.#lookAgain()
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    await Promise.allSettled([...this.#writes])
  }

  isBlocked(endpointId: string): boolean {
    return this.#blocked.has(endpointId)
  }

  /** Adds a refusal to the entry of an Agent; the event is written with it. */
  note({ endpointId, address, claim }: RefusedAgent, { code, text }: Refusal, event?: NewEvent): void {
    const now = this.#deps.clock.now()
    const known = this.#known.get(endpointId) ?? { writtenAt: now - WRITE_MS, count: 0 }
    known.count++
    if (claim !== undefined) known.claim = claim
    this.#known.set(endpointId, known)
    // With very many refusals the list is late, so that the database is not overloaded.
    const due = now - known.writtenAt >= WRITE_MS || event !== undefined
    if (!due || this.#writes.size >= MAX_WRITES) return
    const { count } = known
    known.count = 0
    known.writtenAt = now
    this.#listed.add(endpointId)
    const sighting = {
      // Checked by the MTP or with the first Record.
      endpointId: endpointId as EndpointId,
      address,
      ...(known.claim === undefined ? {} : { claim: known.claim }),
      reason: code,
      text: text.slice(0, 500),
      count,
      at: now,
    }
    this.#run('a refused Agent was not stored', this.#deps.pendingAgents.note(sighting, event), () => {
      known.count += count
    })
  }

  /** Removes the entry of an Endpoint ID that was bound to a device. A block is kept. */
  bound(endpointId: string): void {
    this.#known.delete(endpointId)
    if (this.#blocked.has(endpointId) || !this.#listed.delete(endpointId)) return
    const { pendingAgents, clock } = this.#deps
    this.#run(
      'a bound Agent stays in the list',
      pendingAgents.delete(pendingAgentId(endpointId), 'system', clock.now()),
    )
  }

  block(endpointId: string): void {
    this.#blocked.add(endpointId)
  }

  /** Removes a block. The entry was deleted, so that the next refusal makes a new one. */
  unblock(endpointId: string): void {
    this.#blocked.delete(endpointId)
    this.#known.delete(endpointId)
  }

  #lookAgain(): void {
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      const look = this.#deps.pendingAgents.endpointIds('blocked').then((ids) => {
        this.#blocked = new Set(ids)
      })
      this.#run('blocked Agents were not read', look)
      this.#lookAgain()
    })
  }

  #run(what: string, work: Promise<unknown>, undo?: () => void): void {
    const run: Promise<void> = work
      .then(
        () => undefined,
        (err: unknown) => {
          undo?.()
          this.#deps.log.warn({ err }, what)
        },
      )
      .finally(() => this.#writes.delete(run))
    this.#writes.add(run)
  }
}
