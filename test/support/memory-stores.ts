import { AppError, type Clock } from '../../src/base/index.ts'
import {
  applyPatch,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  type EventLog,
  type FeedEvent,
  type InstanceStore,
  type NewEvent,
  type Operation,
  type OperationState,
  type OperationStore,
  type Page,
  type Parameter,
  type ParameterStore,
  type PendingAgent,
  type PendingAgentStore,
  pendingAgentId,
  type SupportedModel,
  type SupportedModelStore,
} from '../../src/device/index.ts'
import {
  type AuditEntry,
  type AuditLog,
  type ChainedEntry,
  chain,
  GENESIS,
  verifyChain,
} from '../../src/security/index.ts'

/** Stores that keep everything in this process, true to the ports: conditional changes, guards, copies in and out. No selectors. */
export interface MemoryStores {
  devices: DeviceStore
  parameters: ParameterStore
  operations: OperationStore
  events: EventLog
  instances: InstanceStore
  audit: AuditLog
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  /** What is inside, for assertions. */
  inside: {
    devices: Map<string, Device>
    parameters: Map<string, Parameter>
    operations: Map<string, Operation>
    events: FeedEvent[]
    audit: ChainedEntry[]
    pendingAgents: Map<string, PendingAgent>
    supportedModels: Map<string, SupportedModel>
  }
}

export function createMemoryStores(clock: Clock): MemoryStores {
  const inside: MemoryStores['inside'] = {
    devices: new Map(),
    parameters: new Map(),
    operations: new Map(),
    events: [],
    audit: [],
    pendingAgents: new Map(),
    supportedModels: new Map(),
  }
  const append = feed(inside)
  return {
    devices: deviceStore(inside, append.append, clock),
    parameters: parameterStore(inside),
    operations: operationStore(inside, append.append),
    events: {
      append: async (events) => append.append(events),
      since: append.since,
      ofDevice: append.ofDevice,
      onAppended: append.onAppended,
    },
    instances: instanceStore(),
    audit: auditLog(inside),
    pendingAgents: pendingAgentStore(inside, append.append),
    supportedModels: supportedModelStore(inside, append.append),
    inside,
  }
}

type Inside = MemoryStores['inside']

function feed({ events: log }: Inside) {
  const listeners = new Set<(events: FeedEvent[]) => void>()
  return {
    append(events: NewEvent[]) {
      const kept = events.map((event, i): FeedEvent => ({ ...event, id: String(log.length + i + 1).padStart(10, '0') }))
      log.push(...kept)
      for (const listener of listeners) listener(kept)
    },
    async ofDevice(deviceId: DeviceId, after: string | undefined, limit: number) {
      const own = log.filter((event) => event.deviceId === deviceId)
      return after === undefined ? own.slice(-limit) : own.filter((event) => event.id > after).slice(0, limit)
    },
    since: async (id: string | undefined, limit: number) =>
      id === undefined ? log.slice(-limit) : log.filter((event) => event.id > id).slice(0, limit),
    onAppended(listener: (events: FeedEvent[]) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function deviceStore(inside: Inside, append: (events: NewEvent[]) => void, clock: Clock): DeviceStore {
  const { devices, parameters } = inside
  const commit = (change: DeviceChange) => {
    const before = devices.get(change.deviceId)
    if (change.create !== undefined) {
      if (before !== undefined) throw new AppError('conflict', 'the device exists')
      devices.set(change.deviceId, structuredClone(change.create))
    } else if (change.set !== undefined || change.countWork === true || change.newRevision === true || change.unset) {
      if (before === undefined) throw new AppError('conflict', 'the device does not exist')
      const { revision, workSeq, owner, uspConnectedAt } = change.guard ?? {}
      if (revision !== undefined && revision !== before.revision) throw new AppError('conflict', 'revision moved on')
      if (workSeq !== undefined && workSeq !== before.work.seq) throw new AppError('conflict', 'work was added')
      if (owner !== undefined && owner !== before.owner) throw new AppError('conflict', 'owner changed')
      if (uspConnectedAt !== undefined && uspConnectedAt !== before.usp?.connectedAt)
        throw new AppError('conflict', 'the link is another one now')
      const next = applyPatch(before, change.set ?? {}, clock.now())
      if (change.countWork === true) next.work = { ...next.work, seq: next.work.seq + 1 }
      if (change.newRevision === true) next.revision++
      for (const field of change.unset ?? []) delete next[field]
      devices.set(change.deviceId, next)
    }
    for (const prefix of change.dropSubtrees ?? []) {
      for (const key of [...parameters.keys()]) {
        if (key.startsWith(`${change.deviceId}|${prefix}`)) parameters.delete(key)
      }
    }
    for (const path of change.dropParameters ?? []) parameters.delete(`${change.deviceId}|${path}`)
    for (const write of change.parameters ?? []) {
      const key = `${change.deviceId}|${write.path}`
      const writable = write.writable ?? parameters.get(key)?.writable
      const kept: Parameter = { ...write, deviceId: change.deviceId }
      if (write.type === 'unknown') kept.type = parameters.get(key)?.type ?? 'unknown'
      if (writable !== undefined) kept.writable = writable
      parameters.set(key, kept)
    }
    append(change.events ?? [])
  }
  const selectorless = () => new Error('memory stores have no selectors')
  return {
    get: async (id) => structuredClone(devices.get(id)),
    findByEndpoint: async (endpointId) =>
      structuredClone([...devices.values()].find(({ binding }) => binding?.endpointId === endpointId)),
    commit: async (change) => commit(structuredClone(change)),
    list: async () => Promise.reject(selectorless()),
    async *ids(selector, batchSize) {
      if (selector !== undefined) throw selectorless()
      const ids = [...devices.keys()].sort() as DeviceId[]
      for (let i = 0; i < ids.length; i += batchSize) yield ids.slice(i, i + batchSize)
    },
    count: async () => devices.size,
    delete: async (id) => devices.delete(id),
    unlinkAll: async () => 0,
    async *linkedTo(instance) {
      const linked = [...devices.values()].filter(({ usp }) => usp?.linked === true && usp.instance === instance)
      if (linked.length > 0) yield linked.map(({ id, usp }) => ({ id, connectedAt: usp?.connectedAt ?? 0 }))
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
      return pageOf(all, limit, ({ path }) => path)
    },
  }
}

function operationStore({ operations, devices }: Inside, append: (events: NewEvent[]) => void): OperationStore {
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
    async finish(id, from, { state, result, at, event, request, owesAudit, attempts }) {
      const ended = move(id, from, (operation) => {
        operation.state = state
        operation.finishedAt = at
        if (result !== undefined) operation.result = structuredClone(result)
        if (request !== undefined) operation.request = structuredClone(request)
        if (attempts !== undefined) operation.attempts = attempts
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

function instanceStore(): InstanceStore {
  const beats = new Map<string, number>()
  let serviceMs = 0
  return {
    async raise(ms) {
      serviceMs = Math.max(serviceMs, ms)
      return serviceMs
    },
    async beat(instance, now, ttlMs) {
      beats.set(instance, now + ttlMs)
    },
    alive: async (now) => [...beats].filter(([, to]) => to > now).map(([name]) => name),
    async alone(instance) {
      for (const other of [...beats.keys()]) if (other !== instance) beats.delete(other)
    },
    async leave(instance) {
      beats.delete(instance)
    },
  }
}

function auditLog({ audit }: Inside): AuditLog {
  return {
    async append(entry: AuditEntry) {
      audit.push(chain(structuredClone(entry), audit.length + 1, audit.at(-1)?.hash ?? GENESIS))
    },
    verify: () => verifyChain(audit),
    list: async ({ target, actor, limit }) => ({
      items: audit
        .filter((entry) => (target ?? entry.target) === entry.target && (actor ?? entry.actor) === entry.actor)
        .slice(-limit)
        .reverse(),
    }),
  }
}

function pageOf<T>(all: T[], limit: number, key: (item: T) => string): Page<T> {
  const items = all.slice(0, limit)
  const last = items.at(-1)
  return all.length > limit && last !== undefined ? { items, next: key(last) } : { items }
}

function pendingAgentStore({ pendingAgents }: Inside, append: (events: NewEvent[]) => void): PendingAgentStore {
  return {
    async note({ endpointId, count, at, ...seen }, event) {
      const id = pendingAgentId(endpointId)
      const before = pendingAgents.get(id) ?? { id, endpointId, firstSeenAt: at, count: 0 }
      pendingAgents.set(id, { ...before, ...seen, lastSeenAt: at, count: before.count + count })
      if (event !== undefined) append([event])
    },
    get: async (id) => pendingAgents.get(id),
    list: async ({ reason, limit }) => ({
      items: [...pendingAgents.values()].filter((one) => reason === undefined || one.reason === reason).slice(0, limit),
    }),
    async block(id, by, at) {
      const agent = pendingAgents.get(id)
      if (agent === undefined) throw new AppError('notFound', 'no such Agent')
      pendingAgents.set(id, { ...agent, reason: 'blocked', blockedAt: at, blockedBy: by })
      append([{ type: 'agent.blocked', at, data: { endpointId: agent.endpointId } }])
    },
    async delete(id, _by, at) {
      const agent = pendingAgents.get(id)
      if (agent?.blockedAt !== undefined)
        append([{ type: 'agent.unblocked', at, data: { endpointId: agent.endpointId } }])
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
      if (model !== undefined && !model.toldBy.includes(deviceId)) model.toldBy.push(deviceId)
    },
    list: async ({ limit }) => ({ items: [...models.values()].slice(0, limit).map(summary) }),
    async delete(id, event) {
      if (!models.delete(id)) return false
      append([event])
      return true
    },
  }
}
