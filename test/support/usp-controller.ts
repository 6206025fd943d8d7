import { EventEmitter, once } from 'node:events'
import type { SecureContextOptions } from 'node:tls'
import { silentLog } from '../../src/base/index.ts'
import type { Completion, Conflict, Contact, DeviceChange, LinkSecrets } from '../../src/domain/index.ts'
import { Controller, type ControllerOptions, WebSocketMtp, type WebSocketMtpOptions } from '../../src/usp/index.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { createMemoryLinkSecrets } from './memory-link-secrets.ts'
import { createMemoryStores, type MemoryStores } from './memory-stores.ts'
import { RawAgent } from './raw-agent.ts'

export const CONTROLLER_ID = 'self::controller-test'

export interface TestController {
  controller: Controller
  /** TCP port of its WebSocket MTP. */
  port: number
  clock: ManualClock
  stores: MemoryStores
  linkSecrets: LinkSecrets
  conflicts: Conflict[]
  completions: Completion[]
  /** The values that were written, in the order in which they were asked for. */
  commits: DeviceChange[]
  /** Stands before every commit: may hold it up or fail it. */
  beforeCommit(work: (change: DeviceChange) => Promise<void> | undefined): void
  /** Resolves with the next contact that is offered, or one that was and nobody took. */
  offered(): Promise<Contact>
  /** Contacts that were offered and nobody took. */
  offers(): number
  /** Opens a Conflict as the store does, its event included. */
  openConflict(conflict: Conflict): Promise<void>
  decideConflict(id: string): void
  /** The same, once the onboarding that began with it is over. */
  contact(): Promise<Contact>
  connect(eid: string, endpointId?: string, tls?: SecureContextOptions, path?: string): Promise<RawAgent>
  stop(): Promise<void>
}

/**
 * The Controller with its real listener on a free port, over stores in memory and a clock that stands still; its own
 * ones unless given.
 */
export async function startController(
  options: Partial<ControllerOptions & WebSocketMtpOptions> = {},
  shared: { clock?: ManualClock; stores?: MemoryStores } = {},
): Promise<TestController> {
  const { clock = createManualClock() } = shared
  const { stores = createMemoryStores(clock) } = shared
  const conflicts: Conflict[] = []
  const completions: Completion[] = []
  const commits: DeviceChange[] = []
  const contacts: Contact[] = []
  const offers = new Map<string, number>()
  const onboardings = new Map<string, number>()
  const count = (counts: Map<string, number>, id: string) => counts.set(id, (counts.get(id) ?? 0) + 1)
  const arrivals = new EventEmitter().setMaxListeners(0)
  const agents: RawAgent[] = []
  const linkSecrets = createMemoryLinkSecrets()
  let before: (change: DeviceChange) => Promise<void> | undefined = () => undefined
  let ids = 0
  async function openConflict(conflict: Conflict): Promise<void> {
    conflicts.push(conflict)
    const { deviceId, kind, endpointId, at } = conflict
    const device = stores.inside.devices.get(deviceId)
    if (device !== undefined) device.conflict = conflict.id
    await stores.events.append([{ type: 'device.conflict', at, deviceId, data: { kind, endpointId } }])
  }
  const mtp = new WebSocketMtp({
    host: '127.0.0.1',
    port: 0,
    path: '/usp',
    endpointId: CONTROLLER_ID,
    maxLinks: 100,
    clock,
    log: silentLog,
    ...options,
  })
  const controller = new Controller({
    mtps: [mtp],
    endpointId: CONTROLLER_ID,
    admission: 'open',
    periodicNotifIntervalS: 300,
    instance: 'test',
    devices: {
      ...stores.devices,
      async commit(change) {
        commits.push(change)
        await before(change)
        await stores.devices.commit(change)
      },
    },
    conflicts: {
      open: async (conflict) => {
        await openConflict(conflict)
        return conflict
      },
      isContested: async (endpointId) =>
        conflicts.some((one) => one.endpointId === endpointId && one.resolvedAt === undefined),
      get: async (id) => conflicts.find((one) => one.id === id),
      list: async () => ({ items: conflicts }),
      resolve: async () => false,
    },
    pendingAgents: stores.pendingAgents,
    linkSecrets,
    supportedModels: stores.supportedModels,
    audit: stores.audit,
    upward: {
      async contact(contact) {
        contacts.push(contact)
        arrivals.emit('change')
      },
      hasNews: () => false,
      factsDue: () => false,
      completed: async (completion) => void completions.push(completion),
    },
    nextId: () => `id${++ids}`,
    clock,
    random: { fraction: () => 0.5 },
    log: silentLog,
    turnedAwayMs: 0,
    onOnboarded: (deviceId) => {
      count(onboardings, deviceId)
      arrivals.emit('change')
    },
    ...options,
  })
  stores.events.onAppended((events) => {
    for (const event of events) controller.heed(event)
  })
  await controller.start()
  async function offered(): Promise<Contact> {
    for (;;) {
      const contact = contacts.shift()
      if (contact !== undefined) {
        count(offers, contact.deviceId)
        return contact
      }
      await once(arrivals, 'change')
    }
  }
  return {
    controller,
    port: mtp.port,
    clock,
    stores,
    linkSecrets,
    conflicts,
    completions,
    commits,
    beforeCommit(work) {
      before = work
    },
    offered,
    offers: () => contacts.length,
    openConflict,
    decideConflict(id) {
      for (const conflict of conflicts) if (conflict.id === id) conflict.resolvedAt = clock.now()
    },
    async contact() {
      const contact = await offered()
      const { deviceId } = contact
      while ((onboardings.get(deviceId) ?? 0) < (offers.get(deviceId) ?? 0)) await once(arrivals, 'change')
      return contact
    },
    async connect(eid, endpointId, tls, path) {
      const agent = await RawAgent.connect(mtp.port, eid, CONTROLLER_ID, endpointId, tls, path)
      agents.push(agent)
      return agent
    },
    async stop() {
      for (const agent of agents) agent.socket.terminate()
      await controller.stop()
    },
  }
}
