import { silentLog } from '../../src/base/index.ts'
import { loadModel } from '../../src/datamodel/index.ts'
import {
  type Contact,
  type DeviceChange,
  type DeviceId,
  deviceIdOf,
  newDevice,
  type OperationRequest,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  resultOf,
} from '../../src/domain/index.ts'
import { Normalization, RowSets } from '../../src/normalization/index.ts'
import { changesOf } from '../../src/operations/record.ts'
import { readTree } from './device-trees.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { createMemoryStores, type MemoryStores } from './memory-stores.ts'

/** A test device, of TR-098 or TR-181 with names of its vendor, that was discovered, and answers to requests of both roots. */
export interface OwnTreeDevice {
  deviceId: DeviceId
  /** Its own tree; new parameters appear in reads only. */
  values: Map<string, string>
  /** All requests that reached it, in its own paths. */
  asked: OperationRequest[]
  /** Errors of its answers to requests of these verbs. */
  faults: Map<OperationRequest['verb'], string>
  /** Objects that it fails to read, with 9002. */
  unreadable: Set<string>
  /** Parameters that a new object of a table gets. */
  template: Record<string, string>
  /** Parameters that it refuses to write. */
  refused: Set<string>
  /** False: it does not say which parameter it refuses. */
  names: boolean
  run(request: OperationRequest): Promise<OperationResult>
  /** Objects of the stored tree that were read, in order. */
  reads: string[]
  /** The changes that were written, as they were completed. */
  written: DeviceChange[]
  clock: ManualClock
  /** Brings a change into the record. */
  commit(change: Omit<DeviceChange, 'deviceId'>): Promise<void>
  /** Returns a value as the record has it. */
  stored(path: string): Promise<string | undefined>
  /** Brings what a request has read into the record, as operations do, and resolves with its result. */
  runAndRecord(request: OperationRequest): Promise<OperationResult>
}

/** Returns a device with the tree of that name in test/fixtures/trees, and `more` parameters. */
export async function startOwnTreeDevice(name: string, more: Record<string, string> = {}): Promise<OwnTreeDevice> {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const rowSets = new RowSets(stores.mappingRows, silentLog)
  const reads: string[] = []
  const written: DeviceChange[] = []
  const parametersRead: MemoryStores['parameters'] = {
    ...stores.parameters,
    inObjects: (id, objects) => {
      reads.push(...objects)
      return stores.parameters.inObjects(id, objects)
    },
    objects: (id, prefix, limit) => {
      reads.push(prefix)
      return stores.parameters.objects(id, prefix, limit)
    },
  }
  const commit: MemoryStores['devices']['commit'] = (change) =>
    normalization.changes.around(change, (completed) => {
      written.push(completed)
      return stores.devices.commit(completed)
    })
  const devices = { ...stores.devices, commit }
  const normalization = new Normalization({
    ...stores,
    devices,
    parameters: parametersRead,
    rowSets,
    clock,
    log: silentLog,
  })
  const all = [...readTree(name)]
  const root = all.some(([path]) => path.startsWith('InternetGatewayDevice.')) ? 'InternetGatewayDevice.' : 'Device.'
  const tree = new Map(all.filter(([path]) => path.startsWith(root)))
  for (const [path, value] of Object.entries(more)) tree.set(path, { value, type: 'string', writable: true })
  const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
  const deviceId = deviceIdOf(identity)
  await commit({
    deviceId,
    create: { ...newDevice(deviceId, identity, 'cwmp', 1), root, softwareVersion: '1' },
  })
  const parameters = [...tree].map(([path, { value, writable }]) => {
    return { path, value, writable, type: 'string' as const, source: 'cwmp' as const, collectedAt: clock.now() }
  })
  await commit({ deviceId, more: true, parameters })
  const discovery = { outcome: 'complete' as const, unread: [], at: clock.now() }
  await commit({ deviceId, set: { 'cwmp.discovery': discovery, 'cwmp.discoveredFor': '1' } })

  const values = new Map([...tree].map(([path, { value }]) => [path, value]))
  const device: OwnTreeDevice = {
    deviceId,
    values,
    asked: [],
    faults: new Map(),
    unreadable: new Set(),
    template: {},
    refused: new Set(),
    names: true,
    reads,
    written,
    clock,
    commit: (change) => commit({ deviceId, ...change }),
    stored: async (path) => (await stores.parameters.getMany(deviceId, [path]))[0]?.value,
    async run(request) {
      const { own: _own, ...result } = await execute(request)
      return result
    },
    async runAndRecord(request) {
      const result = await execute(request)
      const record = await stores.devices.get(deviceId)
      if (record === undefined) throw new Error('no record')
      const model = loadModel(root === 'Device.' ? 'tr181-cwmp' : 'tr098')
      for (const change of changesOf({ deviceId, request }, result, record, 'cwmp', model, clock.now()))
        await commit(change)
      return result
    },
  }
  async function execute(request: OperationRequest): Promise<OperationResult> {
    const signal = new AbortController().signal
    let given: Contact | undefined
    const upward = normalization.over({
      contact: async (contact) => {
        given = contact
      },
      hasNews: () => false,
      factsDue: () => false,
      completed: () => Promise.resolve(),
    })
    await upward.contact({
      deviceId,
      protocol: 'cwmp',
      root,
      lasting: false,
      signal,
      workKnown: true,
      execute: async ({ request: own }) => {
        device.asked.push(structuredClone(own))
        return answer(device, own)
      },
    })
    if (given === undefined) throw new Error('no contact')
    const operation = {
      id: '01h',
      deviceId,
      request,
      state: 'queued' as const,
      actor: { kind: 'system' as const, id: 'test' },
      createdAt: 0,
      expiresAt: 1,
      attempts: 0,
    }
    const typeOf = () => 'string' as const
    return given.execute(operation, { beforeSend: () => Promise.resolve(), signal, timeoutMs: 1000, typeOf })
  }
  return device
}

function answer(device: OwnTreeDevice, request: OperationRequest): OperationResult {
  const fault = device.faults.get(request.verb)
  if (fault !== undefined)
    return { outcome: 'failed', results: [], error: outcomeError(fault, `the device refuses ${request.verb}`) }
  switch (request.verb) {
    case 'get':
      return resultOf(request.paths.flatMap((path) => read(device, path)))
    case 'set':
      return write(device, request)
    case 'add':
      return addObject(device, request.object)
    case 'delete':
      for (const object of request.paths)
        for (const path of device.values.keys()) if (path.startsWith(object)) device.values.delete(path)
      return resultOf(request.paths.map((path) => ({ path })))
    case 'instances':
      return resultOf(request.paths.flatMap((path) => rowsOf(device, path).map((row) => ({ path: row }))))
    case 'subscribe':
      return { outcome: 'done', results: request.paths.map((path) => ({ path })) }
    case 'operate':
      return { outcome: 'done', results: [], output: {} }
    default:
      throw new Error(`the device does not know ${request.verb}`)
  }
}

function read({ values, unreadable }: OwnTreeDevice, path: string): PathOutcome[] {
  if (unreadable.has(path)) return [{ path, error: outcomeError('9002', 'internal error') }]
  const names = path
    .split('.')
    .map((part) => (part === '*' ? '\\d+' : part.replace(/[^\w-]/g, '\\$&')))
    .join('\\.')
  const pattern = new RegExp(`^${names}${path.endsWith('.') ? '' : '$'}`)
  const found = [...values].filter(([name]) => pattern.test(name)).map(([name, value]) => ({ path: name, value }))
  if (found.length > 0 || path.includes('*')) return found
  return [{ path, error: outcomeError('9005', 'invalid parameter name') }]
}

function write(device: OwnTreeDevice, { values, allowPartial }: RequestFor<'set'>): OperationResult {
  const refused = values.filter(({ path }) => device.refused.has(path) || !device.values.has(path))
  const code = device.names ? '9007' : '9003'
  const failures = refused.map(({ path }) => ({ path, error: outcomeError(code, 'invalid parameter value') }))
  // As the driver tells it: a fault without a name is that of each parameter.
  if (failures.length > 0 && !device.names && allowPartial !== true)
    return resultOf(values.map(({ path }) => ({ path, error: outcomeError(code, 'invalid arguments') })))
  const taken = values.filter((value) => !refused.includes(value))
  // As the driver tells it: what was refused, then what was not written because of it.
  const others = taken.map(({ path }) => ({ path, error: outcomeError('notApplied', 'another value was refused') }))
  if (failures.length > 0 && allowPartial !== true) return resultOf([...failures, ...others])
  for (const { path, value } of taken) device.values.set(path, value)
  return resultOf([...taken.map(({ path, value }) => ({ path, value })), ...failures])
}

function addObject(device: OwnTreeDevice, table: string): OperationResult {
  const numbers = rowsOf(device, table).map((row) => Number(row.slice(table.length, -1)))
  const created = `${table}${Math.max(0, ...numbers) + 1}.`
  for (const [leaf, value] of Object.entries(device.template)) device.values.set(created + leaf, value)
  return resultOf([{ path: table, created }])
}

function rowsOf({ values }: OwnTreeDevice, table: string): string[] {
  const rows = new Set<string>()
  for (const path of values.keys()) {
    const number = path.startsWith(table) ? /^\d+(?=\.)/.exec(path.slice(table.length))?.[0] : undefined
    if (number !== undefined) rows.add(`${table}${number}.`)
  }
  return [...rows]
}
