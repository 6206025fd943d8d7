import { createIdSource, systemClock, systemRandom } from '../../src/base/index.ts'
import { versionKey } from '../../src/datamodel/index.ts'
import { DEVICE_SORT_FIELDS, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import type { CollectionName } from '../../src/store/mongo/collections.ts'
import type { Document_ } from '../../src/store/mongo/mongoose.ts'
import { planOf } from './plans.ts'

/** The number of documents that stay in each collection while its lists are paged. */
export const COUNT = 3000
export const PLAN = 'plan-of-lists'
const GROUP = 'group-of-lists'

export type Item = Record<string, unknown>
/** A list of the API with the documents that fill it. */
export interface List {
  /** As OpenAPI has it, then with what stands for its parameters. */
  path: string
  params?: Record<string, string>
  query?: Record<string, string>
  collection: CollectionName
  /** Returns the document with this number, of those that stay or of those that are inserted and deleted. */
  make(number: number, kind: 'stays' | 'goes'): Document_
  /** The name of an item in the answer. */
  nameOf(item: Item): string
  /** The names of what a document shows in the list. */
  namesOf?(document: Document_): string[]
  /** Returns the key that an item is ordered by; default: its name. */
  keyOf?(item: Item): string
  descending?: boolean
  /** Nothing is taken out of this one. */
  neverDeleted?: true
  /** The query parameter that carries `next`; default `cursor`. */
  cursor?: string
}

const newId = createIdSource(systemClock, systemRandom)
/**
 * Ids in order of creation for the documents that stay and go: as dense as in operation, and made before any is
 * inserted.
 */
const ids = Array.from({ length: COUNT * 2 }, newId)
const idAt = (number: number, kind: 'stays' | 'goes') => ids[2 * number + (kind === 'goes' ? 1 : 0)] ?? newId()

const identityAt = (number: number, kind: 'stays' | 'goes') => ({
  oui: number % 2 === 0 ? '00256D' : '0C96BF',
  productClass: number % 3 === 0 ? 'NB-7' : 'Gateway',
  serial: `${kind === 'goes' ? 'G' : 'S'}${String((number * 7919) % COUNT).padStart(5, '0')}`,
})
const deviceIdAt = (number: number, kind: 'stays' | 'goes') => deviceIdOf(identityAt(number, kind))
/** The device that has the parameters and half of the operations. */
export const OWNER = deviceIdOf({ oui: '00256D', productClass: 'Gateway', serial: 'parameters' })

/** Few values, so that many records are equal by them, and records that have none. */
function deviceAt(number: number, kind: 'stays' | 'goes'): Document_ {
  const { id, ...device } = newDevice(
    deviceIdAt(number, kind),
    identityAt(number, kind),
    'cwmp',
    1_000_000 + (number % 50),
  )
  const version = ['1.9.4', '1.10.1', '1.10', 'v2.0'][number % 5]
  return {
    _id: id,
    ...device,
    ...(number % 7 === 0 ? {} : { manufacturer: `Maker ${number % 7}` }),
    ...(number % 4 === 0 ? {} : { model: `M${number % 4}` }),
    ...(version === undefined ? {} : { softwareVersion: version, softwareVersionKey: versionKey(version) }),
    ...(number % 3 === 0 ? {} : { cwmp: { lastInformAt: 2_000_000 + (number % 11), events: [], version: '1.4' } }),
    ...(number % 3 === 1 ? {} : { usp: { linked: false, lastSeenAt: 3_000_000 + (number % 13) } }),
    ...(number % 3 === 0 ? {} : { wan: wanAt(number) }),
    ...(number % 4 === 0
      ? {}
      : {
          optical: { rxPowerDbm: -(number % 31) / 2, txPowerDbm: (number % 9) - 4, temperatureC: 30 + (number % 17) },
        }),
    ...(number % 5 === 0 ? {} : { wifi: { stations: number % 23 }, lan: { activeHosts: number % 29 } }),
    ...(number % 6 === 0
      ? {}
      : { system: { upSince: 1_000_000 + (number % 37), cpuPercent: number % 100, memoryUsedPercent: number % 41 } }),
    groups: number % 2 === 0 ? [GROUP] : [],
    tags: number % 5 === 0 ? ['north', 'pilot'] : ['south'],
  }
}
function wanAt(number: number) {
  return {
    state: ['Connected', 'Disconnected'][number % 3] ?? 'Connecting',
    ipAddress: `100.64.0.${number % 250}`,
    pppUser: `user${number % 71}`,
    upSince: 4_000_000 + (number % 43),
  }
}
export const device: Pick<List, 'collection' | 'make' | 'nameOf'> = {
  collection: 'devices',
  make: deviceAt,
  nameOf: ({ id }) => String(id),
}

/**
 * Returns the key that a device is sorted by as the record shows it, in a form whose plain order is that of the list: a
 * missing value is first.
 */
function sortKey(field: string, item: Item): string {
  let value: unknown = item
  for (const part of field.split('.')) value = (value as Item | undefined)?.[part]
  const shown = value === undefined ? '' : `+${field === 'softwareVersion' ? versionKey(String(value)) : textOf(value)}`
  return `${shown}\u0001${item.id}`
}

/** Numbers in a form whose plain order is theirs. */
function textOf(value: unknown): string {
  return typeof value === 'number' ? (value + 1_000_000).toFixed(3).padStart(20, '0') : String(value)
}

const operation: Pick<List, 'collection' | 'make' | 'nameOf' | 'descending'> = {
  collection: 'operations',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    deviceId: number % 2 === 0 ? OWNER : deviceIdAt(number, 'stays'),
    request: { verb: 'reboot' },
    state: number % 3 === 0 ? 'failed' : 'done',
    actor: { kind: 'system', id: 'test' },
    createdAt: systemClock.now(),
    expiresAt: systemClock.now() + 1000,
    finishedAt: systemClock.now(),
    attempts: 1,
  }),
  nameOf: ({ id }) => String(id),
  descending: true,
}
export const plan: Pick<List, 'collection' | 'make' | 'nameOf' | 'descending'> = {
  collection: 'plans',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    name: `plan ${number}`,
    groupId: number % 2 === 0 ? GROUP : 'another',
    state: number % 3 === 0 ? 'draft' : 'finished',
    settings: planOf().settings,
    revision: 1,
    createdAt: 1,
  }),
  nameOf: ({ id }) => String(id),
  descending: true,
}
const member: Pick<List, 'path' | 'params' | 'collection' | 'make' | 'nameOf'> = {
  path: '/plans/{id}/members',
  params: { id: PLAN },
  collection: 'planMembers',
  make: (number, kind) => ({
    _id: `${PLAN}|${deviceIdAt(number, kind)}`,
    planId: PLAN,
    deviceId: deviceIdAt(number, kind),
    state: number % 2 === 0 ? 'MIGRATED' : 'FAILED',
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 1,
    dueMs: 1,
    enteredAt: 1,
    enteredMs: 1,
    history: [],
    ...(number % 2 === 0 ? {} : { reason: { code: 'offline', text: 'it did not come' } }),
    ...(number % 3 === 0 ? { waiting: 'backoff' } : {}),
    revision: 1,
  }),
  nameOf: ({ id }) => String(id),
}
const parameters: Pick<List, 'path' | 'params' | 'collection' | 'make' | 'nameOf' | 'namesOf'> = {
  path: '/devices/{id}/parameters',
  params: { id: OWNER },
  collection: 'parameters',
  make(number, kind) {
    const object = `Device.${number % 3 === 0 ? 'Hosts.Host' : 'WiFi.SSID'}.${number + 1}.${kind === 'goes' ? 'Stats.' : ''}`
    const leaf = { value: 'v', source: 'cwmp', collectedAt: 1 }
    return { _id: `${OWNER}|${object}`, deviceId: OWNER, object, leaves: { Enable: leaf, Name: leaf, Alias: leaf } }
  },
  nameOf: ({ path }) => String(path),
  namesOf: ({ object, leaves }) => Object.keys(leaves as object).map((leaf) => `${object}${leaf}`),
}
const conflict: Pick<List, 'path' | 'collection' | 'make' | 'nameOf' | 'descending'> = {
  path: '/conflicts',
  collection: 'conflicts',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    deviceId: deviceIdAt(number, 'stays'),
    kind: 'identityMismatch',
    endpointId: `self::${number}`,
    proof: 'triple',
    details: {},
    at: 1,
    open: number % 2 === 0,
  }),
  nameOf: ({ id }) => String(id),
  descending: true,
}
const pendingAgent: Pick<List, 'path' | 'collection' | 'make' | 'nameOf' | 'keyOf' | 'descending'> = {
  path: '/pending-agents',
  collection: 'pendingAgents',
  make: (number, kind) => ({
    _id: `${kind}-${String((number * 7919) % COUNT).padStart(5, '0')}`,
    endpointId: `proto::${kind}${number}`,
    address: '203.0.113.9',
    reason: number % 3 === 0 ? 'blocked' : 'notBound',
    text: '',
    count: 1,
    firstSeenAt: 1_000_000 + (number % 50),
    lastSeenAt: 2_000_000,
  }),
  nameOf: ({ id }) => String(id),
  keyOf: ({ firstSeenAt, id }) => `${firstSeenAt}|${id}`,
  descending: true,
}
const supportedModel: Pick<List, 'path' | 'collection' | 'make' | 'nameOf'> = {
  path: '/supported-models',
  collection: 'supportedModels',
  make: (number, kind) => ({
    _id: `${kind}-${String((number * 7919) % COUNT).padStart(5, '0')}`,
    key: `Maker|Model ${number % 7}|${number}`,
    digest: String(number),
    describedBy: [],
    objectCount: 1,
    objects: '[]',
    at: 1,
  }),
  nameOf: ({ id }) => String(id),
}
const model: Pick<List, 'path' | 'collection' | 'make' | 'nameOf'> = {
  path: '/models',
  collection: 'mappingCoverage',
  make: (number, kind) => ({
    _id: `${kind}-${String((number * 7919) % COUNT).padStart(5, '0')}`,
    manufacturer: 'Maker',
    model: 'M1',
    softwareVersion: String(number),
    root: 'Device.',
    trees: 1,
    at: 1,
    parameters: 4,
    mapped: 3,
    unmapped: [{ path: 'Device.X_A.B', trees: 1 }],
    silent: [],
  }),
  nameOf: ({ id }) => String(id),
}
const BRIDGE = 'bridge-of-lists'
const bridge: List = {
  path: '/bridges',
  collection: 'bridges',
  make: (number, kind) => ({
    _id: number === 0 && kind === 'stays' ? BRIDGE : idAt(number, kind),
    name: `bridge ${idAt(number, kind)}`,
    revision: 1,
    createdAt: 1,
    updatedAt: 1,
    routersVersion: 0,
  }),
  nameOf: ({ id }) => String(id),
}
const router: Pick<List, 'path' | 'params' | 'collection' | 'make' | 'nameOf'> = {
  path: '/bridges/{id}/routers',
  params: { id: BRIDGE },
  collection: 'bridgeRouters',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    bridgeId: BRIDGE,
    address: `r${idAt(number, kind)}.example.net`,
    place: idAt(number, kind),
    transport: 'auto',
    policy: 'L1',
    tags: number % 2 === 0 ? ['even', 'all'] : ['all'],
    mqtt: false,
    login: { sealed: 'x', sealingKey: 'x' },
    revision: 1,
    createdAt: 1,
    updatedAt: 1,
    ...(number % 3 === 0
      ? {}
      : { state: { reachable: number % 3 === 1, missingRights: [], revision: 1, reportedAt: 1 } }),
  }),
  nameOf: ({ id }) => String(id),
}
const mappingRow: Pick<List, 'path' | 'collection' | 'make' | 'nameOf'> = {
  path: '/mapping-rows',
  collection: 'mappingRows',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    name: `${kind} ${number}`,
    reason: 'test',
    scope: { model: `M${number}` },
    rows: [{ from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load', to: 'Device.DeviceInfo.ProcessStatus.CPUUsage' }],
    revision: 1,
    createdAt: 1,
    updatedAt: 1,
  }),
  nameOf: ({ id }) => String(id),
}
const event: Pick<List, 'path' | 'collection' | 'make' | 'nameOf' | 'cursor'> = {
  path: '/events',
  collection: 'events',
  make: (number, kind) => ({
    _id: idAt(number, kind),
    type: number % 2 === 0 ? 'device.booted' : 'device.connected',
    at: systemClock.now(),
    deviceId: number % 3 === 0 ? OWNER : deviceIdAt(number, 'stays'),
    data: {},
  }),
  nameOf: ({ id }) => String(id),
  cursor: 'after',
}
/** Far behind what the server itself appends meanwhile. */
const AUDIT_FROM = 1_000_000
const audit: Pick<List, 'path' | 'collection' | 'make' | 'nameOf' | 'keyOf' | 'descending' | 'neverDeleted'> = {
  path: '/audit',
  collection: 'audit',
  make(number, kind) {
    const seq = AUDIT_FROM + number + (kind === 'goes' ? COUNT : 0)
    const target = number % 2 === 0 ? OWNER : 'another'
    const at = systemClock.now()
    return {
      _id: String(seq).padStart(12, '0'),
      seq,
      at,
      actor: `apiKey:${number % 3}`,
      action: 'test',
      target,
      result: 'ok',
      hash: `h${seq}`,
      previous: '',
    }
  },
  nameOf: ({ seq }) => String(seq),
  keyOf: ({ seq }) => String(seq).padStart(12, '0'),
  descending: true,
  neverDeleted: true,
}

/** Every list of the API with every sort that it offers, and filters that have an index of their own. */
export const LISTS: List[] = [
  { path: '/devices', ...device },
  ...DEVICE_SORT_FIELDS.flatMap((field) =>
    [false, true].map((descending) => ({
      path: '/devices',
      ...device,
      query: { sort: `${descending ? '-' : ''}${field}` },
      keyOf: (item: Item) => sortKey(field, item),
      descending,
    })),
  ),
  { path: '/devices', ...device, query: { filter: 'tag==north', sort: '-id' }, descending: true },
  {
    path: '/devices',
    ...device,
    query: {
      filter: '(manufacturer=="Maker 1",manufacturer=="Maker 2");softwareVersion=ge=1.10',
      sort: 'manufacturer',
    },
    keyOf: (item) => sortKey('manufacturer', item),
  },
  { path: '/devices', ...device, query: { group: GROUP, sort: 'model' }, keyOf: (item) => sortKey('model', item) },
  { path: '/groups/{id}/devices', params: { id: GROUP }, ...device },
  {
    path: '/groups',
    collection: 'groups',
    make: (number, kind) => ({
      _id: number === 0 && kind === 'stays' ? GROUP : idAt(number, kind),
      name: `group ${idAt(number, kind)}`,
      revision: 1,
      createdAt: 1,
      updatedAt: 1,
    }),
    nameOf: ({ id }) => String(id),
  },
  parameters,
  { ...parameters, query: { path: 'Device.WiFi.' } },
  { path: '/operations', ...operation },
  { path: '/operations', ...operation, query: { state: 'failed' } },
  { path: '/devices/{id}/operations', params: { id: OWNER }, ...operation },
  { path: '/plans', ...plan },
  { path: '/plans', ...plan, query: { groupId: GROUP } },
  member,
  { ...member, query: { state: 'FAILED,STRANDED' } },
  { ...member, query: { reason: 'offline' } },
  { ...member, query: { waiting: 'backoff', state: 'MIGRATED' } },
  conflict,
  { ...conflict, query: { open: 'true' } },
  { ...conflict, query: { open: 'false' } },
  pendingAgent,
  { ...pendingAgent, query: { reason: 'blocked' } },
  supportedModel,
  model,
  mappingRow,
  bridge,
  { ...router },
  { ...router, query: { tag: 'even' } },
  { ...router, query: { reachable: 'true' } },
  event,
  { ...event, query: { type: 'device.booted' } },
  { ...event, query: { deviceId: OWNER } },
  audit,
  { ...audit, query: { target: OWNER } },
  { ...audit, query: { actor: 'apiKey:1' } },
  {
    path: '/api-keys',
    collection: 'apiKeys',
    make: (number, kind) => ({ _id: idAt(number, kind), name: `key ${number}`, scope: 'read', hash: '', createdAt: 1 }),
    nameOf: ({ id }) => String(id),
  },
]

/** The names that a list shows of the documents that stay. */
export function expectedNames(list: List): string[] {
  const all = Array.from({ length: COUNT }, (_, number) => list.make(number, 'stays'))
  return all.filter((document) => belongs(list, document)).flatMap((document) => namesIn(list, document))
}

/** Returns true when a document is in a list with this query. */
function belongs({ path, query = {} }: List, document: Document_): boolean {
  const { state, reason, waiting, groupId, open, type, deviceId, target, actor, filter, group } = query
  const groups = document.groups as string[] | undefined
  if (path === '/bridges/{id}/routers') {
    const { tag, reachable } = query
    const state = document.state as { reachable: boolean } | undefined
    if (tag !== undefined) return (document.tags as string[]).includes(tag)
    return reachable === undefined || state?.reachable === (reachable === 'true')
  }
  if (path === '/groups/{id}/devices' || group !== undefined) return groups?.includes(GROUP) === true
  if (path === '/devices/{id}/operations' && document.deviceId !== OWNER) return false
  if (path === '/devices/{id}/parameters' && query.path !== undefined)
    return String(document.object).startsWith(query.path)
  if (filter === 'tag==north') return (document.tags as string[]).includes('north')
  if (filter !== undefined)
    return (
      ['Maker 1', 'Maker 2'].includes(String(document.manufacturer)) &&
      String(document.softwareVersionKey ?? '') >= versionKey('1.10')
    )
  return (
    (state === undefined || state.split(',').includes(String(document.state))) &&
    (reason === undefined || codeOf(document.reason) === reason) &&
    (waiting === undefined || document.waiting === waiting) &&
    (groupId === undefined || document.groupId === groupId) &&
    (open === undefined || String(document.open) === open) &&
    (type === undefined || document.type === type) &&
    (deviceId === undefined || document.deviceId === deviceId) &&
    (target === undefined || document.target === target) &&
    (actor === undefined || document.actor === actor)
  )
}

/** Members have a reason with a text, pending Agents its code alone. */
function codeOf(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : reason
}

function namesIn(list: List, document: Document_): string[] {
  if (list.namesOf !== undefined) return list.namesOf(document)
  return [list.collection === 'audit' ? String(document.seq) : document._id]
}
