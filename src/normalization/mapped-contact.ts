import type { Clock } from '../base/index.ts'
import { areAbout, loadModel, MappingRefusal, writeQuirks } from '../datamodel/index.ts'
import {
  type Contact,
  collected,
  type DeviceStore,
  type ExecuteHooks,
  failedResult,
  notFound,
  type Operation,
  type OperationRequest,
  type OperationResult,
  outcomeError,
  type ParameterStore,
  parameterChanges,
  restartOf,
  rowsToAdd,
} from '../domain/index.ts'
import { isDiscovered, type MappedRecord } from './record/mapped-record.ts'
import { add } from './requests/add.ts'
import { type AddedPaths, addedPaths } from './requests/added-paths.ts'
import { remove } from './requests/delete.ts'
import { get } from './requests/get.ts'
import { discover, instances, supported } from './requests/list.ts'
import { subscribe } from './requests/notify.ts'
import { operate } from './requests/operate.ts'
import { OwnSide } from './requests/own-side.ts'
import { withOwnSpelling } from './requests/own-spelling.ts'
import { refusedAt } from './requests/refusal.ts'
import { set } from './requests/set.ts'
import type { DeviceMaps, MappedDevice } from './tree/device-maps.ts'
import { OWN_ROOT, TR181 } from './tree/paths.ts'
import type { RecentTrees } from './tree/recent-trees.ts'

interface MappedContactDeps {
  devices: Pick<DeviceStore, 'get' | 'commit'>
  parameters: ParameterStore
  maps: DeviceMaps
  trees: RecentTrees
  record: MappedRecord
  clock: Clock
}

/**
 * Returns a contact over which a device whose own tree is TR-098 answers to paths of TR-181. A request with own paths
 * alone goes through as it is.
 */
export function mappedContact(contact: Contact, deps: MappedContactDeps): Contact {
  return {
    ...contact,
    async execute(operation, hooks) {
      const isOwn = contact.root === OWN_ROOT
      const paths = pathsOf(operation.request, isOwn).filter((path) => path.startsWith(TR181))
      if (paths.length === 0)
        return contact.execute(await withOwnSpelling(operation, contact.deviceId, hooks, deps.trees), hooks)
      const added = isOwn ? undefined : await addedByVendor(contact, operation.request, paths, deps)
      if (!isOwn && added === undefined) return contact.execute(operation, hooks)
      const device = await deviceOf(contact, operation, hooks, deps)
      if ('outcome' in device) return device
      const own = new OwnSide({ ...deps, contact, operation, hooks, device, added })
      try {
        return await translate(own, operation.request)
      } catch (error) {
        if (error instanceof MappingRefusal) return refusedAt(paths[0] ?? '', error)
        throw error
      }
    },
  }
}

/**
 * The paths of a request that say in which tree it is meant. A device whose own tree is TR-181 runs commands as they
 * are.
 */
function pathsOf(request: OperationRequest, isOwn: boolean): string[] {
  switch (request.verb) {
    case 'get':
    case 'instances':
    case 'delete':
    case 'subscribe':
      return request.paths
    case 'set':
      return request.values.map(({ path }) => path)
    case 'add':
      return rowsToAdd(request).map(({ object }) => object)
    case 'supported':
      return [request.path]
    case 'discover':
      return request.path === undefined ? [] : [request.path]
    case 'operate':
      if (restartOf(request.command) !== undefined) return []
      return [...(isOwn ? [request.command] : []), ...Object.values(request.input)]
    default:
      return []
  }
}

/** The mapping of the device; one whose tree is not in the record yet is discovered before its first request. */
async function deviceOf(
  contact: Contact,
  operation: Operation,
  hooks: ExecuteHooks,
  { maps, devices, record, clock }: MappedContactDeps,
): Promise<MappedDevice | OperationResult> {
  const { deviceId } = contact
  const known = await maps.of(deviceId)
  if (known !== undefined) return known
  const stored = await devices.get(deviceId)
  if (stored === undefined) throw notFound('device', deviceId)
  if (!isDiscovered(stored)) {
    const found = await contact.execute({ ...operation, request: { verb: 'discover', path: OWN_ROOT } }, hooks)
    if (found.outcome !== 'done') return found
    const modelOf = () => loadModel('tr098')
    const values = collected(found.results, { source: 'cwmp', collectedAt: clock.now(), modelOf })
    for (const change of parameterChanges(deviceId, values)) await devices.commit({ ...change, more: true })
  }
  await record.adopt(deviceId)
  const built = await maps.of(deviceId)
  return built ?? failedResult(outcomeError('notMapped', 'the device has no tree that can be mapped', true))
}

/**
 * Returns the paths of a request to which names of the vendor add something, on a device whose tree is TR-181; none of
 * them where the model takes the write in a form of its own alone. Undefined: the request goes through as it is.
 */
async function addedByVendor(
  { deviceId }: Contact,
  request: OperationRequest,
  paths: readonly string[],
  { maps, parameters }: MappedContactDeps,
): Promise<AddedPaths | undefined> {
  const device = await maps.of(deviceId)
  if (device === undefined) return undefined
  const added = await addedPaths(deviceId, request.verb, paths, parameters)
  return added ?? (hasOwnForm(request, device) ? { mapped: new Set(), mixed: new Map() } : undefined)
}

/** Returns true for a write for which the family or model of a device has rules. */
function hasOwnForm(request: OperationRequest, { stored: { family, models } }: MappedDevice): boolean {
  const quirks = writeQuirks({ family, models })
  if (request.verb === 'set')
    return areAbout(
      quirks,
      request.values.map(({ path }) => path),
      [],
    )
  if (request.verb !== 'add') return false
  const rows = rowsToAdd(request)
  const values = rows.flatMap(({ object, values }) => Object.keys(values).map((name) => `${object}1.${name}`))
  return areAbout(
    quirks,
    values,
    rows.map(({ object }) => object),
  )
}

function translate(own: OwnSide, request: OperationRequest): Promise<OperationResult> {
  switch (request.verb) {
    case 'get':
      return get(own, request)
    case 'set':
      return set(own, request)
    case 'add':
      return add(own, request)
    case 'delete':
      return remove(own, request)
    case 'instances':
      return instances(own, request)
    case 'supported':
      return supported(own, request)
    case 'discover':
      return discover(own, request.path ?? TR181)
    case 'subscribe':
      return subscribe(own, request)
    case 'operate':
      return operate(own, request)
    default:
      return Promise.resolve(failedResult(outcomeError('notSupported', `${request.verb} has no paths`)))
  }
}
