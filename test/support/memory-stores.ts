import { AppError, type Clock, idBoundAt, systemRandom } from '../../src/base/index.ts'
import {
  type Conflict,
  type ConflictStore,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  type EventLog,
  type EventType,
  type FeedEvent,
  type FleetStore,
  type Group,
  type GroupStore,
  type InstanceMapStore,
  type InstanceStore,
  type MappingCoverage,
  type MappingRowSet,
  type MappingRowStore,
  type NewEvent,
  type Operation,
  type OperationState,
  type OperationStore,
  type Parameter,
  type ParameterStore,
  type PendingAgent,
  type PendingAgentStore,
  type PlanStore,
  pendingAgentId,
  type StoredInstanceMap,
  type SupportedModel,
  type SupportedModelStore,
} from '../../src/domain/index.ts'
import {
  type AuditEntry,
  type AuditLog,
  type ChainedEntry,
  chain,
  createSecretBox,
  GENESIS,
  verifyChain,
} from '../../src/security/index.ts'
import { conflictStore } from './memory-conflict-store.ts'
import { deviceStore } from './memory-device-store.ts'
import { fleetStore } from './memory-fleet-store.ts'
import { groupStore } from './memory-group-store.ts'
import { instanceMapStore } from './memory-instance-maps.ts'
import { memoryMappingCoverage } from './memory-mapping-coverage.ts'
import { mappingRowStore } from './memory-mapping-rows.ts'
import { pageOf } from './memory-page.ts'
import { emptyPlanRoom, type PlanRoom, planStore } from './memory-plan-store.ts'

/** Stores that keep everything in this process, true to the ports: conditional changes, guards, copies in and out. */
export interface MemoryStores {
  devices: DeviceStore
  fleet: FleetStore
  plans: PlanStore
  conflicts: ConflictStore
  groups: GroupStore
  parameters: ParameterStore
  operations: OperationStore
  events: EventLog
  instanceMaps: InstanceMapStore
  instances: InstanceStore
  mappingRows: MappingRowStore
  audit: AuditLog
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  mappingCoverage: MappingCoverage
  /** The content, for assertions. */
  inside: {
    devices: Map<string, Device>
    plans: PlanRoom
    conflicts: Map<string, Conflict>
    groups: Map<string, Group>
    parameters: Map<string, Parameter>
    operations: Map<string, Operation>
    events: FeedEvent[]
    audit: ChainedEntry[]
    pendingAgents: Map<string, PendingAgent>
    supportedModels: Map<string, SupportedModel>
    instanceMaps: Map<string, StoredInstanceMap>
    mappingRows: Map<string, MappingRowSet>
  }
}

/** `instance`: the one that the stores belong to. */
export function createMemoryStores(clock: Clock, instance = 'test'): MemoryStores {
  const inside: MemoryStores['inside'] = {
    devices: new Map(),
    plans: emptyPlanRoom(),
    conflicts: new Map(),
    groups: new Map(),
    parameters: new Map(),
    operations: new Map(),
    events: [],
    audit: [],
    pendingAgents: new Map(),
    supportedModels: new Map(),
    instanceMaps: new Map(),
    mappingRows: new Map(),
  }
  const append = feed(inside, clock)
  const listeners = new Set<(change: DeviceChange) => void>()
  const devices = deviceStore(inside, append.append, clock, listeners)
  return {
    devices,
    fleet: fleetStore(inside.devices, listeners),
    plans: planStore(inside.plans, { room: inside, append: append.append, now: clock.now }),
    conflicts: conflictStore(inside.conflicts, { room: inside, append: append.append, now: clock.now }),
    groups: groupStore(inside.groups, inside),
    parameters: parameterStore(inside),
    operations: operationStore(inside, append.append, devices.commit),
    events: {
      append: async (events) => append.append(events),
      since: append.since,
      ofDevice: append.ofDevice,
      ofTypes: append.ofTypes,
      onAppended: append.onAppended,
    },
    instanceMaps: instanceMapStore(inside.instanceMaps),
    instances: instanceStore(instance),
    mappingRows: mappingRowStore(inside.mappingRows, append.append),
    audit: auditLog(inside),
    pendingAgents: pendingAgentStore(inside, append.append),
    supportedModels: supportedModelStore(inside, append.append),
    mappingCoverage: memoryMappingCoverage(),
    inside,
  }
}

type Inside = MemoryStores['inside']

/** Ids in the form and the order of the store's: the time of the event, then a counter; the time never goes back. */
function feedIds(clock: Clock): () => string {
  let lastMs = 0
  let made = 0
  return () => {
    lastMs = Math.max(lastMs, clock.now())
    return idBoundAt(lastMs) + String(++made).padStart(16, '0')
  }
}

function feed({ events: log }: Inside, clock: Clock) {
  const newId = feedIds(clock)
  const listeners = new Set<(events: FeedEvent[]) => void>()
  const byDevice = new Map<DeviceId, FeedEvent[]>()
  return {
    append(events: NewEvent[]) {
      if (events.length === 0) return
      const kept = events.map((event): FeedEvent => ({ ...event, id: newId() }))
      log.push(...kept)
      for (const event of kept) {
        if (event.deviceId === undefined) continue
        const own = byDevice.get(event.deviceId)
        if (own === undefined) byDevice.set(event.deviceId, [event])
        else own.push(event)
      }
      for (const listener of listeners) listener(kept)
    },
    async ofDevice(deviceId: DeviceId, after: string | undefined, limit: number) {
      const own = byDevice.get(deviceId) ?? []
      return after === undefined ? own.slice(-limit) : own.filter((event) => event.id > after).slice(0, limit)
    },
    ofTypes: async (types: readonly EventType[], after: string, limit: number) =>
      log.filter(({ id, type }) => id > after && types.includes(type)).slice(0, limit),
    since: async (id: string | undefined, limit: number) =>
      id === undefined ? log.slice(-limit) : log.filter((event) => event.id > id).slice(0, limit),
    onAppended(listener: (events: FeedEvent[]) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function parameterStore({ parameters }: Inside): ParameterStore {
  return {
    getMany: async (deviceId, paths) =>
      paths.flatMap((path) => {
        const found = parameters.get(`${deviceId}|${path}`)
        return found === undefined ? [] : [structuredClone(found)]
      }),
    async list(deviceId, prefix, limit, cursor = '') {
      const all = [...parameters.values()]
        .filter(({ deviceId: of, path }) => of === deviceId && path.startsWith(prefix) && path > cursor)
        .sort((a, b) => (a.path < b.path ? -1 : 1))
      return structuredClone(pageOf(all, limit, ({ path }) => path))
    },
    inObjects: async (deviceId, objects) =>
      [...parameters.values()]
        .filter(
          ({ deviceId: of, path }) => of === deviceId && objects.includes(path.slice(0, path.lastIndexOf('.') + 1)),
        )
        .map((parameter) => structuredClone(parameter)),
    async objects(deviceId, prefix, limit) {
      const own = [...parameters.values()].filter((found) => found.deviceId === deviceId)
      const objects = new Set(own.map(({ path }) => path.slice(0, path.lastIndexOf('.') + 1)))
      return [...objects]
        .filter((object) => object.startsWith(prefix))
        .sort()
        .slice(0, limit)
    },
  }
}

function operationStore(
  { operations, devices }: Inside,
  append: (events: NewEvent[]) => void,
  commit: DeviceStore['commit'],
): OperationStore {
  const owing = new Set<string>()
  const move = (id: string, from: OperationState[], change: (operation: Operation) => void): boolean => {
    const operation = operations.get(id)
    if (operation === undefined || !from.includes(operation.state)) return false
    change(operation)
    return true
  }
  const flag = (deviceId: DeviceId): number => {
    const device = devices.get(deviceId)
    if (device === undefined || device.work.open) return 0
    device.work = { open: true, seq: device.work.seq + 1 }
    return 1
  }
  const sorted = () => [...operations.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    async create(operation, event) {
      const { deviceId, idempotencyKey } = operation
      const earlier = [...operations.values()].find(
        (other) =>
          idempotencyKey !== undefined && other.deviceId === deviceId && other.idempotencyKey === idempotencyKey,
      )
      if (earlier !== undefined) return { operation: structuredClone(earlier), created: false }
      const device = devices.get(deviceId)
      if (device === undefined) throw new AppError('notFound', 'there is no such device')
      operations.set(operation.id, structuredClone(operation))
      device.work = { open: true, seq: device.work.seq + 1 }
      if (event !== undefined) append([event])
      return { operation, created: true }
    },
    byKey: async (deviceId, key) =>
      structuredClone(
        [...operations.values()].find((other) => other.deviceId === deviceId && other.idempotencyKey === key),
      ),
    get: async (id) => structuredClone(operations.get(id)),
    open: async (deviceId, limit) =>
      structuredClone(
        sorted()
          .filter((one) => one.deviceId === deviceId && ['queued', 'sent', 'unknown'].includes(one.state))
          .sort((a, b) => (a.place ?? 0) - (b.place ?? 0))
          .slice(0, limit),
      ),
    async list({ deviceId, states, limit, cursor }) {
      const all = sorted()
        .filter((one) => (deviceId ?? one.deviceId) === one.deviceId && (states?.includes(one.state) ?? true))
        .reverse()
        .filter(({ id }) => cursor === undefined || id < cursor)
      return pageOf(structuredClone(all), limit, ({ id }) => id)
    },
    markSent: async (id, { at, via, instance, baseline }) =>
      move(id, ['queued'], (operation) => {
        Object.assign(operation, { state: 'sent', sentAt: at, sentVia: via, instance })
        operation.attempts++
        if (baseline !== undefined) operation.baseline = structuredClone(baseline)
      }),
    requeue: async (id) =>
      move(id, ['sent'], (operation) => {
        operation.state = 'queued'
        for (const field of ['sentAt', 'sentVia', 'instance', 'baseline'] as const) delete operation[field]
      }),
    markUnknown: async (id) =>
      move(id, ['sent'], (operation) => {
        operation.state = 'unknown'
      }),
    async finish(id, from, { state, result, at, event, request, owesAudit, attempts, sentVia, change }) {
      if (change !== undefined) {
        if (!from.includes(operations.get(id)?.state ?? 'done')) return false
        try {
          await commit(change)
        } catch (error) {
          if (error instanceof AppError && error.code === 'conflict') return false
          throw error
        }
      }
      const ended = move(id, from, (operation) => {
        operation.state = state
        operation.finishedAt = at
        if (result !== undefined) operation.result = structuredClone(result)
        if (request !== undefined) operation.request = structuredClone(request)
        if (attempts !== undefined) operation.attempts = attempts
        if (sentVia !== undefined) operation.sentVia = sentVia
        if (owesAudit === true) owing.add(id)
      })
      if (ended && event !== undefined) append([event])
      return ended
    },
    audited: async (id) => void owing.delete(id),
    owingAudit: async (before, limit) =>
      structuredClone(
        sorted()
          .filter(({ id, finishedAt = before }) => owing.has(id) && finishedAt < before)
          .slice(0, limit),
      ),
    async notePending(id, result) {
      move(id, ['sent', 'unknown'], (operation) => {
        operation.result = structuredClone(result)
      })
    },
    unanswered: async (by) =>
      sorted()
        .filter(({ state, instance, result }) => state === 'sent' && instance === by && result?.outcome !== 'pending')
        .map(({ id, deviceId }) => ({ id, deviceId })),
    async orphaned(alive) {
      const orphans = sorted().filter(
        ({ state, instance }) => state === 'sent' && instance !== undefined && !alive.includes(instance),
      )
      for (const orphan of orphans) {
        orphan.state = 'unknown'
        flag(orphan.deviceId)
      }
      return orphans.length
    },
    expired: async (now, limit) =>
      structuredClone(
        sorted()
          .filter(({ state, expiresAt }) => state === 'queued' && expiresAt < now)
          .slice(0, limit),
      ),
    async repairWorkFlags() {
      const ids = new Set(
        sorted()
          .filter(({ state }) => state === 'queued' || state === 'unknown')
          .map((one) => one.deviceId),
      )
      return [...ids].reduce((count, id) => count + flag(id), 0)
    },
  }
}

function instanceStore(own: string): InstanceStore {
  const beats = new Map<string, number>()
  let serviceMs = 0
  let servedAt: number | undefined
  return {
    async raise(ms, at) {
      const before = servedAt
      serviceMs = Math.max(serviceMs, ms)
      servedAt = at
      return { ms: serviceMs, ...(before === undefined ? {} : { at: before }) }
    },
    async beat(instance, now, ttlMs) {
      beats.set(instance, now + ttlMs)
    },
    alive: async (now) => [...beats].filter(([, to]) => to >= now).map(([name]) => name),
    async endDead(now) {
      const dead = [...beats].filter(([name, to]) => to < now && name !== own)
      for (const [name] of dead) beats.delete(name)
      return dead.length
    },
    async alone(instance) {
      for (const other of [...beats.keys()]) if (other !== instance) beats.delete(other)
    },
    async leave(instance) {
      beats.delete(instance)
    },
  }
}

const AUDIT_KEY = {
  keyedFrom: 1,
  anchor: GENESIS,
  mac: (text: string) => createSecretBox('test', systemRandom).mac('audit', text),
}

function auditLog({ audit }: Inside): AuditLog {
  const append = async (entry: AuditEntry) => {
    audit.push(chain(structuredClone(entry), audit.length + 1, audit.at(-1)?.hash ?? GENESIS, AUDIT_KEY))
  }
  return {
    append,
    appendSoon: append,
    async verify(limit, from = { seq: 0, hash: GENESIS }) {
      if (from.seq > 0 && audit[from.seq - 1]?.hash !== from.hash)
        return { entries: 0, lastHash: GENESIS, firstBroken: from.seq }
      const held = await verifyChain(audit.slice(from.seq, from.seq + limit), AUDIT_KEY, from)
      return held.firstBroken === undefined && held.entries < audit.length ? { ...held, more: true } : held
    },
    async list({ target, actor, limit, cursor }) {
      const all = audit
        .filter((entry) => (target ?? entry.target) === entry.target && (actor ?? entry.actor) === entry.actor)
        .filter(({ seq }) => cursor === undefined || seq < Number(cursor))
        .reverse()
      return pageOf(structuredClone(all), limit, ({ seq }) => String(seq))
    },
  }
}

function pendingAgentStore({ pendingAgents }: Inside, append: (events: NewEvent[]) => void): PendingAgentStore {
  return {
    async note({ endpointId, count, at, ...seen }, event) {
      const id = pendingAgentId(endpointId)
      const before = pendingAgents.get(id) ?? { id, endpointId, firstSeenAt: at, count: 0 }
      pendingAgents.set(id, { ...before, ...seen, lastSeenAt: at, count: before.count + count })
      if (event !== undefined) append([event])
    },
    get: async (id) => structuredClone(pendingAgents.get(id)),
    async list({ reason, limit, cursor }) {
      const place = ({ firstSeenAt, id }: PendingAgent) => `${String(firstSeenAt).padStart(16, '0')} ${id}`
      const all = [...pendingAgents.values()]
        .filter((one) => (reason ?? one.reason) === one.reason && (cursor === undefined || place(one) < cursor))
        .sort((a, b) => (place(a) < place(b) ? 1 : -1))
      return pageOf(structuredClone(all), limit, place)
    },
    async block(id, by, at) {
      const agent = pendingAgents.get(id)
      if (agent === undefined) throw new AppError('notFound', `there is no pending Agent ${id}`)
      if (agent.blockedAt !== undefined) return
      const text = 'it was blocked by an operator'
      pendingAgents.set(id, { ...agent, reason: 'blocked', text, blockedAt: at, blockedBy: by })
      append([{ type: 'agent.blocked', at, protocol: 'usp', data: { endpointId: agent.endpointId, by } }])
    },
    async delete(id, by, at) {
      const agent = pendingAgents.get(id)
      if (agent?.blockedAt !== undefined)
        append([{ type: 'agent.unblocked', at, protocol: 'usp', data: { endpointId: agent.endpointId, by } }])
      return pendingAgents.delete(id)
    },
    endpointIds: async (which) =>
      [...pendingAgents.values()]
        .filter(({ blockedAt }) => which === 'all' || blockedAt !== undefined)
        .map(({ endpointId }) => endpointId),
  }
}

function supportedModelStore(
  { supportedModels: models }: Inside,
  append: (events: NewEvent[]) => void,
): SupportedModelStore {
  const summary = ({ objects, ...model }: SupportedModel) => ({
    ...structuredClone(model),
    objectCount: objects.length,
  })
  return {
    of: async (key) => [...models.values()].filter((model) => model.key === key).map(summary),
    get: async (id) => structuredClone(models.get(id)),
    put: async (model) => void models.set(model.id, structuredClone(model)),
    async confirm(id, deviceId) {
      const model = models.get(id)
      if (model !== undefined && !model.describedBy.includes(deviceId)) model.describedBy.push(deviceId)
    },
    async list({ limit, cursor = '' }) {
      const all = [...models.values()].filter(({ id }) => id > cursor).sort((a, b) => (a.id < b.id ? -1 : 1))
      return pageOf(all.map(summary), limit, ({ id }) => id)
    },
    async delete(id, event) {
      if (!models.delete(id)) return false
      append([event])
      return true
    },
  }
}
