import { type Lifecycle, limitLines } from '../../base/index.ts'
import { PollSlots } from '../changes/poll-slots.ts'
import { IdentityClaims } from './identity-claims.ts'
import type { RouterRow } from './router-rows.ts'
import { type RouterPhase, RouterSupervisor, type SupervisorDeps } from './router-supervisor.ts'

/** The numbers of routers of a bridge. */
interface BridgeCounts {
  routers: number
  /** Those whose connection is up. */
  reached: number
  /** Those whose Agent has a link to a Controller. */
  linked: number
}

/** The numbers of a bridge for its metrics. */
interface BridgeCensus {
  phases: Readonly<Record<RouterPhase, number>>
  /** Links of Agents that are open. */
  links: number
  /** Notifications of all Agents since the start. */
  notifies: number
  /** Bytes of the files of all routers. */
  bytes: { local: number; numbers: number; intents: number }
}

/** Connections begin so many milliseconds apart, over half a minute at most; so does the way to another Controller. */
const STEP_MS = 20
const MAX_SPREAD_MS = 30_000
/** Lines with the same text of one router in a minute. */
const LINES_PER_MINUTE = 3

type FleetDeps = Omit<SupervisorDeps, 'claim' | 'slots'>

/** All routers of a bridge: a supervisor for each row, as the rows come and go. */
export class BridgeFleet implements Lifecycle {
  readonly name = 'routers'
  readonly #deps: FleetDeps
  readonly #slots = new PollSlots()
  readonly #supervisors = new Map<string, RouterSupervisor>()
  /** Notifications of routers that are gone. */
  #notifies = 0
  #claims: IdentityClaims | undefined
  #rows: ReadonlyMap<string, RouterRow> = new Map()
  /** The Controllers that Agents were brought to, as JSON. */
  #controllers = ''
  #change: Promise<void> = Promise.resolve()

  constructor(deps: FleetDeps) {
    this.#deps = deps
  }

  get counts(): BridgeCounts {
    const all = [...this.#supervisors.values()]
    return {
      routers: all.length,
      reached: all.filter((one) => one.isReached).length,
      linked: all.filter((one) => one.isLinked).length,
    }
  }

  get census(): BridgeCensus {
    const phases = { needsLogin: 0, unreached: 0, watched: 0, unserved: 0, unlinked: 0, linked: 0 }
    const bytes = { local: 0, numbers: 0, intents: 0 }
    let [links, notifies] = [0, this.#notifies]
    for (const one of this.#supervisors.values()) {
      phases[one.phase]++
      links += one.links
      notifies += one.notifies
      for (const name of ['local', 'numbers', 'intents'] as const) bytes[name] += one.bytes?.[name] ?? 0
    }
    return { phases, links, notifies, bytes }
  }

  async start(): Promise<void> {
    const claims = await IdentityClaims.open(this.#deps.folder)
    this.#claims = claims
    await this.#deps.rows.start((rows) => {
      this.#change = this.#change.then(() => this.#apply(rows))
    })
  }

  async stop(): Promise<void> {
    await this.#change
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.stop()))
    this.#supervisors.clear()
    await this.#deps.rows.stop()
  }

  async #apply(rows: readonly RouterRow[]): Promise<void> {
    const wanted = new Map(rows.map((row) => [row.id, row]))
    this.#rows = wanted
    const ended: Promise<void>[] = []
    for (const [id, supervisor] of this.#supervisors) {
      const row = wanted.get(id)
      if (row !== undefined && supervisor.update(row)) continue
      this.#supervisors.delete(id)
      this.#notifies += supervisor.notifies
      ended.push(supervisor.stop())
      if (row === undefined) this.#deps.rows.forget(id)
    }
    await Promise.all(ended)
    this.#followControllers()
    const added = rows.filter(({ id }) => !this.#supervisors.has(id))
    for (const [index, row] of added.entries()) {
      const supervisor = new RouterSupervisor(row, this.#partsFor(row))
      this.#supervisors.set(row.id, supervisor)
      supervisor.start(pauseOf(index, added.length))
    }
    if (ended.length + added.length > 0)
      this.#deps.log.info(
        { routers: wanted.size, added: added.length, ended: ended.length },
        'the routers have changed',
      )
  }

  /** Brings the Agents that run to the Controllers of now, when these have changed. */
  #followControllers(): void {
    const controllers = JSON.stringify(this.#deps.rows.controllers)
    const isOther = controllers !== this.#controllers
    this.#controllers = controllers
    if (!isOther || this.#supervisors.size === 0) return
    this.#deps.log.info({ routers: this.#supervisors.size }, 'the Agents go to another address of their Controller')
    for (const [index, supervisor] of [...this.#supervisors.values()].entries())
      supervisor.followControllers(pauseOf(index, this.#supervisors.size))
  }

  #partsFor({ id, address }: RouterRow): SupervisorDeps {
    const { log, clock } = this.#deps
    return {
      ...this.#deps,
      slots: this.#slots,
      log: limitLines(log.child({ router: id, address }), clock, LINES_PER_MINUTE),
      claim: async (endpointId, row) => {
        const holder = await this.#claims?.claim(endpointId, row.id, (other) => this.#rows.has(other))
        const other = holder === undefined ? undefined : this.#rows.get(holder)
        return other && `${other.address} port ${other.port}`
      },
    }
  }
}

/** Milliseconds before the work on one of several routers. */
function pauseOf(index: number, routers: number): number {
  return routers === 1 ? 0 : (index * Math.min(routers * STEP_MS, MAX_SPREAD_MS)) / routers
}
