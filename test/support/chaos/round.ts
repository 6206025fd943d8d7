import { until } from '../until.ts'
import { ChaosActs } from './acts.ts'
import { ChaosJudge } from './judge.ts'
import { type ChaosOptions, ChaosWorld } from './world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The events of a round, for each part of the world. */
export const DISTURBANCES = {
  /** Nothing but what people do. */
  nothing: async () => undefined,
  engineDies: async ({ engine, dice }: ChaosWorld) => {
    await engine.kill()
    await pause(dice.between(0, 1500))
    await engine.start()
  },
  serverDies: async (world: ChaosWorld) => {
    const server = world.dice.one(world.servers)
    await server.kill()
    await pause(world.dice.between(0, 500))
    await world.restart(server)
  },
  allServersDie: async (world: ChaosWorld) => {
    await Promise.all(world.servers.map((server) => server.kill()))
    await Promise.all(world.servers.map((server) => world.restart(server)))
  },
  serversRestart: async (world: ChaosWorld) => {
    await Promise.all(world.servers.map((server) => server.stop()))
    await Promise.all(world.servers.map((server) => world.restart(server)))
  },
  /** For the servers, longer than an Agent may be silent. */
  longMaintenance: async (world: ChaosWorld) => {
    await Promise.all(world.servers.map((server) => server.stop()))
    world.stepClocksOfStopped(2 * MINUTE_MS)
    await Promise.all(world.servers.map((server) => world.restart(server)))
  },
  clocksStep: (world: ChaosWorld) => world.stepClocks(world.dice.one([-10 * MINUTE_MS, HOUR_MS])),
  devicesDie: async ({ fleet, dice }: ChaosWorld) => {
    await fleet.kill()
    await pause(dice.between(0, 1000))
    await fleet.start()
  },
  /** Longer than a plan waits for a device, also for one that it rolls back. */
  devicesStayAway: async ({ fleet, options }: ChaosWorld, acts: ChaosActs) => {
    await fleet.kill()
    await acts.resume()
    await acts.rollBack()
    await pause(2 * options.informIntervalS * 1000 + 75_000)
    await fleet.start()
  },
  devicesAreReset: async (world: ChaosWorld, acts: ChaosActs, devices: string[]) => {
    const chosen = world.dice.some(devices, 4)
    await world.fleet.kill()
    await acts.deleteDevices(chosen.slice(2))
    for (const id of chosen) acts.lost.add(id)
    world.fleet.reset(chosen)
    acts.note(`reset by hand: ${chosen.join(' ')}`)
    await world.fleet.start()
  },
} satisfies Record<string, (world: ChaosWorld, acts: ChaosActs, devices: string[]) => Promise<unknown>>
export type Disturbance = keyof typeof DISTURBANCES

/** States in which a device soaks, or was moved. */
const ON_USP = ['DUAL', 'RETIRING', 'MIGRATED']
/**
 * After the long maintenance the silence of an Agent counts four minutes later, and 90 s of it end a soak: a device that
 * was reset just then is rolled back only after that.
 */
const REST_MS = 600_000

/** Rounds of chaos over one world: the devices go on from where the round before left them. */
export class ChaosRounds {
  readonly #world: ChaosWorld
  readonly #acts: ChaosActs
  readonly #judge: ChaosJudge
  readonly #devices: string[]
  #failed = false

  private constructor(world: ChaosWorld, devices: string[]) {
    this.#world = world
    this.#devices = devices
    this.#acts = new ChaosActs(world, devices)
    this.#judge = new ChaosJudge(world, this.#acts)
  }

  /** Starts a world, waits for its devices, and makes the groups. */
  static async start(options: ChaosOptions): Promise<ChaosRounds> {
    const world = new ChaosWorld(options)
    try {
      await world.start()
      const devices = [...world.fleet.cpes()].filter(([, { kind }]) => kind === 'dualStack').map(([id]) => id)
      const rounds = new ChaosRounds(world, devices)
      await rounds.#arrivals()
      await rounds.#acts.prepare()
      return rounds
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  /** Events of members that were seen so far. */
  get seen(): ReadonlySet<string> {
    return this.#judge.seen
  }

  get log(): readonly string[] {
    return this.#acts.log
  }

  /** So many rounds, each with one of the disturbances, in random order. */
  async run(disturbances: readonly Disturbance[], acts: number): Promise<void> {
    for (const [i, disturbance] of this.#world.dice.shuffled(disturbances).entries())
      await this.#round(`${i + 1} (${disturbance})`, disturbance, acts)
  }

  /** Further rounds with one disturbance, at most so many, until all these events of members were seen. */
  async runUntil(events: readonly string[], disturbance: Disturbance, acts: number, rounds: number): Promise<void> {
    for (let i = 1; i <= rounds && events.some((event) => !this.seen.has(event)); i++)
      await this.#round(`more ${i} (${disturbance})`, disturbance, acts)
  }

  stop(): Promise<void> {
    return this.#world.stop(this.#failed)
  }

  /** One round; throws with the seed, what was done, and what does not agree in the end. */
  async #round(name: string, disturbance: Disturbance, acts: number): Promise<void> {
    const { dice } = this.#world
    this.#acts.note(`--- round ${name}`)
    await this.#acts.begin()
    const at = dice.between(1, acts - 2)
    let under: Promise<unknown> = Promise.resolve()
    let soaking: string[] = []
    for (let i = 0; i < acts; i++) {
      await pause(dice.between(20, 300))
      if (i === at) {
        soaking = await this.#soaking(disturbance)
        under = DISTURBANCES[disturbance](this.#world, this.#acts, this.#devices)
      }
      await this.#acts.act()
    }
    await under
    this.#acts.note('everything is up')
    await this.#rest(name)
    await this.#unharmed(name, soaking)
  }

  /** Members that a planned downtime must not harm. */
  async #soaking(disturbance: Disturbance): Promise<string[]> {
    if (disturbance !== 'longMaintenance' && disturbance !== 'clocksStep') return []
    const { store } = this.#world
    const { items: plans } = await store.plans.listPlans({ limit: 500 })
    const pages = await Promise.all(plans.map(({ id }) => store.plans.listMembers(id, { limit: 500 })))
    return pages.flatMap(({ items }) => items.filter(({ state }) => ON_USP.includes(state)).map(({ id }) => id))
  }

  async #unharmed(name: string, soaking: string[]): Promise<void> {
    const found: string[] = []
    for (const id of soaking) {
      const last = (await this.#world.store.plans.getMember(id))?.history.findLast(({ event }) => event === 'fail')
      if (last !== undefined && ON_USP.includes(last.from) && last.code === 'linkLost')
        found.push(`${id} was rolled back in ${last.from}: ${last.reason}`)
    }
    if (found.length > 0) this.#fail(name, found)
  }

  async #rest(name: string): Promise<void> {
    let found: string[] = []
    let noted = ''
    const isAtRest = async () => {
      await this.#acts.resume()
      found = await this.#judge.look()
      if (found.length === 0) return true
      const telling = found.find((text) => !text.startsWith('plan ')) ?? found[0] ?? ''
      const [about = ''] = telling.split(' ')
      if (about !== noted) this.#acts.note(`  ${found.length} things, first: ${telling}`)
      noted = about
      return false
    }
    const end = Date.now() + REST_MS
    await until(async () => (await isAtRest()) || Date.now() > end, 2 * REST_MS, 200)
    if (found.length === 0) found = await this.#judge.last()
    if (found.length > 0) this.#fail(name, found)
    this.#acts.note(`at rest; seen: ${[...this.seen].join(' ')}`)
  }

  #fail(name: string, found: string[]): never {
    this.#failed = true
    const head = `seed ${this.#world.dice.seed}, round ${name} (the logs of the servers are in ${this.#world.dir}):`
    throw new Error([head, ...found, '', ...this.#acts.log.slice(-120)].join('\n'))
  }

  async #arrivals(): Promise<void> {
    const total = this.#world.options.devices + 1
    const areAll = async () => {
      const { items } = await this.#world.store.devices.list({ limit: 500 })
      return items.filter(({ cwmp }) => (cwmp?.discoveredFor ?? '') !== '').length === total
    }
    await until(areAll, 2 * MINUTE_MS, 100)
  }
}

/** Acts come at random moments and disturbances last for a time: the wait itself is the point. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
