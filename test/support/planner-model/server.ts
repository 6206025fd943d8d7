import { AppError, type Clock, isConflict, type Log, type LogFields, silentLog } from '../../../src/base/index.ts'
import { createEventBus } from '../../../src/bus/index.ts'
import type { DeviceId, EventBus, FleetStore, Operation, Protocol, UspLinks } from '../../../src/domain/index.ts'
import { Groups } from '../../../src/groups/index.ts'
import { Planner } from '../../../src/planner/index.ts'
import { DEFAULTS } from './settings.ts'
import type { World } from './world.ts'

/**
 * The point at which a server dies: at its n-th call of a port from now on, before or after the call has its effect.
 */
export interface Fuse {
  calls: number
  when: 'before' | 'after'
}

/** More calls than this without that time passes are a loop. */
const MAX_CALLS_AT_ONCE = 20_000

/** Nothing in the model counts the devices. */
const NO_FLEET: FleetStore = {
  presence: () => never(),
  readiness: () => never(),
  async *withoutReadiness() {
    yield []
  },
  onChanged: () => () => undefined,
}

/** No device of the model is a router behind a bridge. */
const NO_BRIDGES = {
  get: async () => undefined,
  router: async () => undefined,
  routersOfSerial: async () => [],
  changeRouters: async () => undefined,
}

/** Milliseconds that devices have at most to reconnect after an outage of all servers. */
const MAX_COMEBACK_MS = 3_600_000

/** One server instance: a planner over the stores of the world, that can be cut off between any two of its calls. */
export class Server {
  readonly id: string
  readonly planner: Planner
  readonly groups: Groups
  readonly bus: EventBus
  readonly clock: Clock
  /** Its service time is so far from that of the installation, at most one beat. */
  readonly skewMs: number
  readonly startedMs: number
  dead = false
  fuse: Fuse | undefined
  readonly finished = new Set<(operation: Operation) => void>()
  readonly #contacts = new Set<(deviceId: DeviceId, protocol: Protocol) => void>()
  readonly #world: World

  constructor(world: World, id: string, skewMs: number) {
    this.#world = world
    this.id = id
    this.skewMs = skewMs
    this.clock = {
      now: () => world.wallMs,
      after: (ms, callback) =>
        world.after(ms, () => {
          if (!this.dead) callback()
        }),
    }
    this.startedMs = this.serviceMs
    const log = watchfulLog(world)
    this.bus = createEventBus(log)
    const { plans, devices, conflicts, groups, parameters, events } = world.stores
    const groupStore = this.#port(groups)
    const deviceStore = this.#port(devices)
    const audit = { ...world.stores.audit, append: () => this.call(async () => undefined) }
    const newId = () => world.newId()
    this.groups = new Groups({ groups: groupStore, devices: deviceStore, audit, newId, clock: this.clock })
    this.planner = new Planner({
      plans: this.#port(plans),
      devices: deviceStore,
      conflicts: this.#port(conflicts),
      parameters: this.#port(parameters),
      operations: world.engine.of(this),
      links: this.#links(),
      linkSecrets: this.#port(world.secrets),
      pendingAgents: this.#port(world.stores.pendingAgents),
      bridges: NO_BRIDGES,
      audit,
      instance: id,
      clock: this.clock,
      time: {
        now: () => this.serviceMs,
        silenceCountsFrom: this.startedMs + Math.min(2 * world.outageMs, MAX_COMEBACK_MS),
        wallTime: (ms) => world.wallMs + ms - this.serviceMs,
      },
      newId,
      log,
      onContact: (listener) => {
        this.#contacts.add(listener)
        return () => this.#contacts.delete(listener)
      },
      groupStore,
      fleet: NO_FLEET,
      groups: this.groups,
      bus: this.bus,
      events: this.#port(events),
      appendEvents: (list) => this.call(() => events.append(list)),
      defaults: () => DEFAULTS,
    })
  }

  get serviceMs(): number {
    return Math.max(0, this.#world.serviceMs + this.skewMs)
  }

  /** Passes on that a device is in contact with this server. */
  contact(deviceId: DeviceId, protocol: Protocol): void {
    if (this.dead) return
    for (const listener of this.#contacts) listener(deviceId, protocol)
  }

  /** Does what a room of this server does, whose events this server's listeners hear. */
  say<T>(work: () => T): T {
    const { speaker } = this.#world
    this.#world.speaker = this.dead ? undefined : this
    try {
      return work()
    } finally {
      this.#world.speaker = speaker
    }
  }

  kill(): void {
    this.dead = true
    this.#world.died(this)
  }

  /** Makes a call out of the process. After its death nothing of it happens, and no answer arrives. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    const world = this.#world
    world.calls++
    if (++world.callsAtOnce > MAX_CALLS_AT_ONCE) {
      if (world.callsAtOnce === MAX_CALLS_AT_ONCE + 1) world.defects.push('a loop without end, in no time')
      return never()
    }
    // The order of two calls at one time is left to chance.
    while (world.random.once(3)) await undefined
    const last = this.fuse !== undefined && !this.dead && --this.fuse.calls <= 0
    if (last && this.fuse?.when === 'before') this.kill()
    if (this.dead) return never()
    if (world.databaseDown) {
      // A write may have been done although its answer did not come.
      if (world.random.once(10)) await work().catch(() => undefined)
      throw new AppError('unavailable', 'the database does not answer')
    }
    if (last) this.kill()
    const result = this.say(work)
    if (last) {
      await result.catch(() => undefined)
      return never()
    }
    const value = await result
    return this.dead ? never() : value
  }

  /** A port whose every call is one out of the process. */
  #port<T extends object>(target: T): T {
    const call = this.call.bind(this)
    const cut = { ...target }
    for (const name of Object.keys(target)) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || name === 'onAppended') continue
      const isList = method instanceof AsyncGeneratorFunction
      Reflect.set(
        cut,
        name,
        isList
          ? (...args: unknown[]) => cutList(call, method, args)
          : (...args: unknown[]) => call(() => method.apply(target, args)),
      )
    }
    return cut
  }

  #links(): UspLinks {
    const world = this.#world
    return {
      ask: async (deviceId) => {
        await undefined
        if (this.dead) return never()
        const cpe = world.cpe(deviceId)
        if (cpe?.link?.server !== this) return 'elsewhere'
        return cpe.answers ? 'answered' : 'silent'
      },
      close: async (deviceId, reason) => {
        await undefined
        if (this.dead) return never()
        const cpe = world.cpe(deviceId)
        if (cpe?.link?.server === this) cpe.unlink(reason)
      },
    }
  }
}

const AsyncGeneratorFunction = Object.getPrototypeOf(async function* () {
  yield undefined
}).constructor

/** A streamed list, read in one call. */
async function* cutList(call: Server['call'], method: CallableFunction, args: unknown[]): AsyncIterable<unknown> {
  yield* await call(async () => {
    const items: unknown[] = []
    for await (const item of method(...args)) items.push(item)
    return items
  })
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

/** A defect is an error that is none of the expected ones: a database that is away, or a change that met another. */
function watchfulLog(world: World): Log {
  const look = ({ err }: LogFields, message: string) => {
    if (err === undefined || isConflict(err) || isUnavailable(err)) return
    if (err instanceof AppError && err.code === 'notFound') return
    world.defects.push(`${message}: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`)
  }
  const log: Log = { ...silentLog, warn: look, error: look, info: look, child: () => log }
  return log
}

/** True for the error of a database that is away. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}
