import { type DeviceChange, type DeviceId, deviceIdOf, type EndpointId } from '../../../src/domain/index.ts'
import { createMemoryStores, type MemoryStores } from '../memory-stores.ts'
import { Cpe, recordOf } from './cpe.ts'
import { DataModel, type Quirks } from './data-model.ts'
import { Engine } from './engine.ts'
import { Random } from './random.ts'
import { Secrets } from './secrets.ts'
import { Server } from './server.ts'

/** Milliseconds between ticks of the planner; work is due by other times. */
const TICK_MS = 1000
const MIN_STEP_MS = 500
/** After a write the next step is seldom the shortest one: what is due ends a step in any case. */
const STEP_AFTER_WRITE_MS = 4000
const SHORT_ONCE_IN = 4
const MAX_STEP_MS = 6 * 3_600_000
const WATCH_MS = 60_000
const TIDY_MS = 15_000
/** A server that is silent for so long counts as dead. */
const SERVER_TTL_MS = 10_000
const MAX_SKEW_MS = 3000

/** One simulated device at the start of a sequence. */
export interface DeviceInput {
  quirks: Quirks
  /** Its record shows already that it can be moved. */
  known: boolean
  /** It has the Endpoint ID of the device before it. */
  sameEndpoint: boolean
  /** Its record is bound to another Endpoint ID. */
  boundToOther: boolean
}

interface Timer {
  atMs: number
  delayMs: number
  run(): void
}

/** Devices, servers, the stores under them, and the time of all of them. Everything follows from the seed. */
export class World {
  readonly random: Random
  readonly stores: MemoryStores
  readonly engine: Engine
  readonly secrets = new Secrets()
  readonly cpes: Cpe[]
  /** Servers that live. */
  readonly servers: Server[] = []
  /**
   * Defects that no invariant shows: unexpected errors, operations that are asked for twice with different requests.
   */
  readonly defects: string[] = []
  databaseDown = false
  /** The server whose listeners hear of what is stored now. */
  speaker: Server | undefined
  /** Monotonic time, in milliseconds. */
  monoMs = 0
  /** Time in which some server could hear its devices. */
  serviceMs = 10_000
  /** Commits of members, and changes of plans. */
  writes = 0
  /** Writes at the last look of the invariants. */
  lookedAt = -1
  /** Calls of ports since time has passed. */
  callsAtOnce = 0
  calls = 0
  steps = 0
  #offsetMs = 1_700_000_000_000
  #timers: Timer[] = []
  #ids = 0
  #serversMade = 0
  #watchedMs = 0
  #servedMs = 0
  #tidiedMs = 0
  readonly #dead: { id: string; atMs: number }[] = []
  /** Called after each step of time. */
  onStep: () => void = () => undefined

  constructor(seed: number, devices: readonly DeviceInput[]) {
    this.random = new Random(seed)
    this.stores = createMemoryStores({ now: () => this.wallMs, after: (ms, task) => this.after(ms, task) })
    this.stores.events.onAppended((events) => this.speaker?.bus.publish(events))
    this.engine = new Engine(this)
    this.#countWrites()
    this.cpes = devices.map(({ quirks, sameEndpoint }, i) => {
      const serial = `S${i}`
      const id = deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial })
      const endpointId = `os::0C96BF-S${sameEndpoint && i > 0 ? i - 1 : i}`
      return new Cpe(this, id, new DataModel(serial, endpointId, quirks))
    })
    devices.forEach(({ known, boundToOther }, i) => {
      const cpe = this.cpes[i]
      if (cpe === undefined) return
      for (const change of recordOf(this, cpe, known)) this.store(change)
      const binding = { endpointId: 'os::0C96BF-X' as EndpointId, proof: 'bound', at: 0 } as const
      if (boundToOther && i === 0) this.store({ deviceId: cpe.id, set: { binding } })
    })
  }

  get wallMs(): number {
    return this.monoMs + this.#offsetMs
  }

  newId(): string {
    return `i${String(++this.#ids).padStart(8, '0')}`
  }

  cpe(id: DeviceId): Cpe | undefined {
    return this.cpes.find((cpe) => cpe.id === id)
  }

  /** Calls back when the time is there, in the next step of time at the earliest. */
  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.monoMs + Math.max(1, delayMs), delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Commits a change of a device; one that meets a changed record is dropped. */
  store(change: DeviceChange): void {
    this.stores.devices.commit(change).catch(() => undefined)
  }

  isContested(endpointId: string): boolean {
    for (const conflict of this.stores.inside.conflicts.values())
      if (conflict.endpointId === endpointId && conflict.resolvedAt === undefined) return true
    return false
  }

  isAlive(server: string): boolean {
    return this.servers.some(({ id }) => id === server)
  }

  /** Starts another server over the same stores. */
  async startServer(): Promise<Server> {
    const server = new Server(this, `s${++this.#serversMade}`, -this.random.below(MAX_SKEW_MS))
    this.servers.push(server)
    await this.#tidy()
    await server.planner.start()
    return server
  }

  died(server: Server): void {
    const at = this.servers.indexOf(server)
    if (at < 0) return
    this.servers.splice(at, 1)
    this.#servedMs = this.monoMs
    this.#dead.push({ id: server.id, atMs: this.monoMs })
  }

  /** True while a server that lives works on a member. */
  get isAtWork(): boolean {
    const holds = ({ by, until }: { by: string; until: number }) => this.isAlive(by) && until > this.serviceMs
    return some(this.stores.inside.plans.members, ({ lease }) => lease !== undefined && holds(lease))
  }

  /** Milliseconds for which no server has lived. */
  get outageMs(): number {
    return this.servers.length > 0 ? 0 : this.monoMs - this.#servedMs
  }

  stepClock(ms: number): void {
    this.#offsetMs += ms
  }

  /** Runs everything that is ready. A tick that a microtask asks for runs when no microtask is left. */
  async settled(): Promise<void> {
    await undefined
    await new Promise<void>((resolve) => process.nextTick(resolve))
  }

  /**
   * Lets time pass, in steps that end where something is due and that grow while nothing happens: timers may be late,
   * as on a loaded machine. Ends early when `until` holds.
   */
  async pass(ms: number, until: (quietMs: number) => boolean = () => false): Promise<void> {
    const endMs = this.monoMs + ms
    let stepMs = MIN_STEP_MS
    let quietMs = 0
    while (this.monoMs < endMs && !until(quietMs)) {
      const { writes } = this
      const toDueMs = Math.max(MIN_STEP_MS, this.#nextDueMs() - this.monoMs)
      const passedMs = Math.min(stepMs, toDueMs, endMs - this.monoMs)
      await this.#step(passedMs)
      const quiet = this.writes === writes
      quietMs = quiet ? quietMs + passedMs : 0
      const afterWriteMs = this.random.once(SHORT_ONCE_IN) ? MIN_STEP_MS : STEP_AFTER_WRITE_MS
      stepMs = quiet ? Math.min(stepMs * 8, MAX_STEP_MS) : afterWriteMs
    }
  }

  async #step(ms: number): Promise<void> {
    this.monoMs += ms
    this.callsAtOnce = 0
    this.steps++
    if (!this.databaseDown && this.servers.length > 0) this.serviceMs += ms
    for (const cpe of this.cpes) cpe.step()
    this.engine.step()
    const due: Timer[] = []
    const later: Timer[] = []
    for (const timer of this.#timers) (timer.atMs <= this.monoMs ? due : later).push(timer)
    this.#timers = later
    due.sort((a, b) => a.atMs - b.atMs)
    for (const { run } of due) run()
    await this.settled()
    await this.#jobs()
    this.onStep()
  }

  /** The recurring jobs that concern the planner, on one server. */
  async #jobs(): Promise<void> {
    if (this.databaseDown) return
    if (this.monoMs - this.#tidiedMs >= TIDY_MS) await this.#tidy()
    if (this.monoMs - this.#watchedMs < WATCH_MS) return
    this.#watchedMs = this.monoMs
    const server = this.random.pick(this.servers)
    server?.planner.watch().catch((error: unknown) => this.#unexpected(error))
    await this.settled()
  }

  async #tidy(): Promise<void> {
    this.#tidiedMs = this.monoMs
    const late = this.#dead.filter(({ atMs }) => this.monoMs - atMs < SERVER_TTL_MS).map(({ id }) => id)
    const alive = [...this.servers.map(({ id }) => id), ...late]
    const { devices, plans, inside } = this.stores
    // Without a hold of a dead server, both calls change nothing.
    const holds = (holder: string | undefined) => holder !== undefined && !alive.includes(holder)
    if (some(inside.devices, ({ usp }) => usp?.linked === true && !alive.includes(usp.instance ?? '')))
      await devices.unlinkAll(undefined, alive, this.wallMs)
    const { members, rounds } = inside.plans
    if (some(members, ({ lease }) => holds(lease?.by)) || some(rounds, ({ by }) => holds(by)))
      await plans.freeLeases(alive)
  }

  #unexpected(error: unknown): void {
    this.defects.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  /** The next time at which something is due, as far as members, operations, devices and timers show it. */
  #nextDueMs(): number {
    let due = Number.POSITIVE_INFINITY
    const note = (atMs: number) => {
      // Work that is due and does not happen waits for something else.
      if (atMs > this.monoMs && atMs < due) due = atMs
    }
    note(this.engine.dueMs)
    for (const cpe of this.cpes) note(cpe.dueMs)
    for (const { atMs, delayMs } of this.#timers) if (delayMs !== TICK_MS) note(atMs)
    // Service time stands still: no member becomes due.
    if (this.databaseDown || this.servers.length === 0) return due
    const { members } = this.stores.inside.plans
    for (const { dueMs, lease } of members.values()) {
      if (dueMs !== undefined) note(this.monoMs + dueMs - this.serviceMs + MAX_SKEW_MS)
      // Work of a dead server is free after the next look at the servers.
      if (lease !== undefined && !this.isAlive(lease.by)) note(this.#tidiedMs + TIDY_MS)
    }
    return due
  }

  #countWrites(): void {
    const { plans } = this.stores
    const { commitMember, putPlan } = plans
    plans.commitMember = (commit) => {
      this.writes++
      return commitMember(commit)
    }
    plans.putPlan = (plan, revision) => {
      this.writes++
      return putPlan(plan, revision)
    }
  }
}

function some<T>(map: ReadonlyMap<string, T>, holds: (value: T) => boolean): boolean {
  for (const value of map.values()) if (holds(value)) return true
  return false
}
