import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../../src/base/index.ts'
import { IN_FLIGHT, type Plan } from '../../../src/domain/index.ts'
import { ANN } from '../actors.ts'
import type { Command, PlanInput, Sequence } from './commands.ts'
import type { Cpe } from './cpe.ts'
import { brokenNow, brokenWhenBack, brokenWhenQuiet } from './invariants.ts'
import type { Server } from './server.ts'
import { World } from './world.ts'

const SELECTOR = 'manufacturer==Northbridge'
const CERTIFICATE = readFileSync(join(import.meta.dirname, '../../vectors/tls/open-ca.pem'), 'utf8')
const MAX_SERVERS = 2
const MAX_PLANS = 4
/** Nothing is due any more when so much time has passed without a write, plus the longest inform interval. */
const QUIET_MS = 2 * 3_600_000
/** Milliseconds after which everything must rest. */
const REST_MS = 60 * 86_400_000
/** Writes after which a sequence counts as one without rest. */
const MAX_WRITES = 20_000

/** A plan without anything special. */
export const EASY: PlanInput = {
  maxInFlight: 5,
  startsPerMinute: 0,
  maxAttempts: 2,
  soakMs: 0,
  retire: 'dormant',
  silentAfterMs: 0,
  onSilent: 'report',
  failureGatePercent: 100,
  gateMinSample: 1000,
  dormantIntervalS: 86_400,
  tls: false,
}

/** One sequence that is played. Throws an Error that names the invariant that does not hold. */
export class Play {
  readonly world: World
  readonly plans: Plan[] = []
  #group: string | undefined
  /** The commands so far, for the message of a failure. */
  readonly #played: (Command | 'quiet')[] = []

  constructor({ seed, devices }: Pick<Sequence, 'seed' | 'devices'>) {
    this.world = new World(seed, devices)
    this.world.onStep = () => this.#check(brokenNow(this.world))
  }

  /** Plays a whole sequence. */
  async run({ first, commands }: Sequence): Promise<void> {
    await this.begin(first, commands)
    await this.quiet()
    await this.back()
  }

  /** Starts a server and a plan over all devices, and lets the events happen. */
  async begin(first: PlanInput, commands: readonly Command[]): Promise<void> {
    await this.world.startServer()
    await this.#do({ do: 'plan', settings: first, start: true })
    for (const command of commands) await this.#do(command)
  }

  /** Everything works again, and time passes until nothing is due. */
  async quiet(): Promise<void> {
    const { world } = this
    this.#played.push('quiet')
    world.databaseDown = false
    for (const server of world.servers) server.fuse = undefined
    while (world.servers.length < 1) await world.startServer()
    for (const cpe of world.cpes) {
      cpe.here = true
      cpe.agent = 'ok'
      cpe.loses.length = 0
    }
    const before = world.writes
    const enoughMs = QUIET_MS + 1000 * Math.max(...world.cpes.map(({ model }) => Number(model.interval)))
    let quiet = false
    await world.pass(REST_MS, (quietMs) => {
      if (world.writes - before > MAX_WRITES) throw new Error(this.#message([`no rest after ${MAX_WRITES} writes`]))
      // A step of hours in which work begins is quiet only after the end of that work.
      quiet = quietMs >= enoughMs && !world.isAtWork
      return quiet
    })
    if (!quiet) this.#check([`no rest after ${REST_MS / 86_400_000} days`])
    this.#check(brokenWhenQuiet(world))
  }

  /** Rolls back every device, whatever happened to it before. */
  async back(): Promise<void> {
    const { world } = this
    for (const { model } of world.cpes)
      Object.assign(model, { refusesDelete: false, refusesAll: false, liesOverUsp: false })
    for (const { id } of [...world.stores.inside.conflicts.values()])
      await world.stores.conflicts.resolve(id, 'dismissed', 'test', world.wallMs)
    await this.#backOnce()
    if (world.cpes.some(({ id }) => world.stores.inside.plans.snapshots.has(id))) {
      // Its record was deleted meanwhile: the next plan takes the snapshot over.
      await this.#plan(EASY, true)
      await this.quiet()
      await this.#backOnce()
    }
    this.#check(brokenWhenBack(world))
  }

  async #backOnce(): Promise<void> {
    const { members } = this.world.stores.inside.plans
    for (const [plan] of this.plans.entries()) {
      for (const [device, { id }] of this.world.cpes.entries()) {
        const state = members.get(`${this.plans[plan]?.id}|${id}`)?.state
        if (state === 'FAILED' || state === 'CONFLICT') await this.#do({ do: 'named', plan, device, action: 'retry' })
      }
    }
    await this.quiet()
    for (const [plan] of this.plans.entries()) {
      await this.#do({ do: 'act', plan, action: 'rollback' })
      for (const [device] of this.world.cpes.entries())
        await this.#do({ do: 'named', plan, device, action: 'rollback' })
    }
    await this.quiet()
  }

  async #do(command: Command): Promise<void> {
    this.#played.push(command)
    await this.#perform(command)
    await this.world.settled()
    this.#check(brokenNow(this.world))
  }

  async #perform(command: Command): Promise<unknown> {
    const { world } = this
    const cpe = 'device' in command ? at(world.cpes, command.device) : undefined
    const plan = 'plan' in command ? at(this.plans, command.plan) : undefined
    switch (command.do) {
      case 'pass':
        return world.pass(command.ms)
      case 'stepClock':
        return world.stepClock(command.ms)
      case 'server':
        return world.servers.length < MAX_SERVERS ? world.startServer() : undefined
      case 'kill':
        return this.#kill(command)
      case 'database':
        world.databaseDown = command.down
        return undefined
      case 'plan':
        return this.plans.length < MAX_PLANS ? this.#plan(command.settings, command.start) : undefined
      case 'removeGroup':
        return this.#removeGroup()
      case 'resolve':
        return this.#resolve()
      default:
        if (cpe !== undefined) this.#onDevice(command, cpe)
        if (plan !== undefined) this.#onPlan(command, plan, cpe)
        return undefined
    }
  }

  #onDevice(command: Command, cpe: Cpe): void {
    switch (command.do) {
      case 'cwmp':
        cpe.here = command.here
        return
      case 'agent':
        cpe.agent = command.to
        return
      case 'boot':
        return cpe.boot()
      case 'reset':
        return cpe.factoryReset(command.unheard)
      case 'lose':
        cpe.loses.push(...Array.from({ length: command.after }, () => undefined), command.how)
        return
      case 'fault':
        cpe.model[command.what] = command.on
        return
      case 'occupy':
        return this.world.engine.occupy(cpe.id, command.ms)
      case 'conflict':
        return this.#conflict(cpe)
      case 'forget':
        return this.#asked((server) => this.#forget(server, cpe, command.unheard))
      case 'rollbackDevice':
        return this.#asked((server) => server.planner.rollBackDevice(cpe.id, ANN))
      default:
        return
    }
  }

  #onPlan(command: Command, { id }: Plan, cpe: Cpe | undefined): void {
    switch (command.do) {
      case 'act':
        return this.#asked((server) => server.planner.act(id, command.action, ANN))
      case 'rollbackSome': {
        const selector = `serial==${cpe?.model.serial}`
        return this.#asked((server) => server.planner.act(id, 'rollback', ANN, { selector, paced: command.paced }))
      }
      case 'named':
        return this.#asked((server) =>
          server.planner.forDevices(id, command.action, cpe === undefined ? [] : [cpe.id], ANN),
        )
      case 'removePlan':
        return this.#asked((server) => server.planner.remove(id, ANN))
      default:
        return
    }
  }

  #kill({ server: which, calls, when }: Extract<Command, { do: 'kill' }>): void {
    const server = at(this.world.servers, which)
    if (server === undefined) return
    if (calls === 0) server.kill()
    else server.fuse = { calls, when }
  }

  async #plan({ tls, ...settings }: PlanInput, start: boolean): Promise<void> {
    const { world } = this
    if (world.databaseDown) return
    this.#asked(async (server) => {
      this.#group ??= (await server.groups.create({ name: 'all', selector: SELECTOR }, ANN)).id
      const controller = tls ? { controller: { tls, certificate: CERTIFICATE } } : {}
      const plan = await server.planner.create(
        { name: 'move', groupId: this.#group, settings: { ...settings, ...controller } },
        ANN,
      )
      this.plans.push(plan)
      if (start) await server.planner.act(plan.id, 'start', ANN)
    })
    await world.settled()
  }

  #removeGroup(): void {
    const id = this.#group
    this.#group = undefined
    if (id !== undefined) this.#asked((server) => server.groups.remove(id, ANN))
  }

  /** Deletes a device as the API does. `unheard`: the process dies before the event is passed on. */
  async #forget(server: Server, cpe: Cpe, unheard: boolean): Promise<void> {
    const { devices, events } = this.world.stores
    const device = await server.call(() => devices.get(cpe.id))
    if (device === undefined || (device.migration !== undefined && IN_FLIGHT.includes(device.migration.state))) return
    await server.call(async () => this.world.engine.forget(cpe.id))
    await server.call(async () => {
      cpe.deletions++
      this.world.secrets.delete(cpe.id)
      if (this.world.stores.inside.plans.snapshots.has(cpe.id)) cpe.forgotten = true
      return devices.delete(cpe.id)
    })
    const event = { type: 'device.deleted', at: this.world.wallMs, deviceId: cpe.id, data: {} } as const
    if (!unheard) await server.call(() => events.append([event]))
  }

  #conflict(cpe: Cpe): void {
    const { world } = this
    const server = world.random.pick(world.servers)
    if (server === undefined || cpe.record === undefined || world.databaseDown) return
    const now = world.wallMs
    const conflict = {
      id: world.newId(),
      deviceId: cpe.id,
      kind: 'identityMismatch',
      endpointId: cpe.model.endpointId,
      proof: 'certificate',
      details: {},
      at: now,
    } as const
    const event = { type: 'device.conflict', at: now, deviceId: cpe.id, protocol: 'usp', data: {} } as const
    server.say(() => void world.stores.conflicts.open(conflict, event))
  }

  #resolve(): void {
    const { world } = this
    const server = world.random.pick(world.servers)
    const open = [...world.stores.inside.conflicts.values()].find(({ resolvedAt }) => resolvedAt === undefined)
    if (server === undefined || open === undefined || world.databaseDown) return
    server.say(() => void world.stores.conflicts.resolve(open.id, 'dismissed', 'test', world.wallMs))
  }

  /** Asks a server for something. It may refuse, or die over it; any other error is a defect. */
  #asked(work: (server: Server) => Promise<unknown>): void {
    const server = this.world.random.pick(this.world.servers)
    if (server === undefined) return
    work(server).catch((error: unknown) => {
      if (error instanceof AppError && ['conflict', 'notFound', 'unavailable'].includes(error.code)) return
      this.world.defects.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    })
  }

  #check(broken: string[]): void {
    if (broken.length > 0) throw new Error(this.#message(broken))
  }

  #message(broken: string[]): string {
    const { members } = this.world.stores.inside.plans
    const histories = [...members.values()].map(({ id, state, history }) => {
      const steps = history.map(({ event, to, code }) => `${event}${code === undefined ? '' : `(${code})`} ${to}`)
      return `${id} ${state}: ${steps.join(', ')}`
    })
    const told = this.#played.map((one) => (one === 'quiet' ? one : JSON.stringify(one)))
    return [...broken, '', 'Done:', ...told, '', 'Members:', ...histories].join('\n')
  }
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)]
}
