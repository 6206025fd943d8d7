import type { Clock } from '../base/index.ts'
import { loadModel, MappingRefusal } from '../datamodel/index.ts'
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
import { get } from './requests/get.ts'
import { OwnSide } from './requests/own-side.ts'
import type { DeviceMaps, MappedDevice } from './tree/device-maps.ts'
import { OWN_ROOT, TR181 } from './tree/paths.ts'

interface MappedContactDeps {
  devices: Pick<DeviceStore, 'get' | 'commit'>
  parameters: ParameterStore
  maps: DeviceMaps
  record: MappedRecord
  clock: Clock
}

/**
 * Returns a contact over which a device whose own tree is TR-098 answers to paths of TR-181. A request with own paths
 * alone goes through as it is.
 */
export function mappedContact(contact: Contact, deps: MappedContactDeps): Contact {
  return {
    deviceId: contact.deviceId,
    protocol: contact.protocol,
    root: contact.root,
    lasting: contact.lasting,
    signal: contact.signal,
    workKnown: contact.workKnown,
    async execute(operation, hooks) {
      if (contact.root !== OWN_ROOT || !pathsOf(operation.request).some((path) => path.startsWith(TR181)))
        return contact.execute(operation, hooks)
      const device = await deviceOf(contact, operation, hooks, deps)
      if ('outcome' in device) return device
      const own = new OwnSide({ ...deps, contact, operation, hooks, device, now: deps.clock.now() })
      try {
        return await translate(own, operation.request)
      } catch (error) {
        if (error instanceof MappingRefusal) return refused(error)
        throw error
      }
    },
  }
}

/** The paths of a request that say in which tree it is meant. */
function pathsOf(request: OperationRequest): string[] {
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
      return restartOf(request.command) === undefined ? [request.command] : []
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
  await record.adopt(stored)
  const built = await maps.of(deviceId)
  return built ?? failedResult(outcomeError('notMapped', 'the device has no tree that can be mapped', true))
}

function translate(own: OwnSide, request: OperationRequest): Promise<OperationResult> {
  switch (request.verb) {
    case 'get':
      return get(own, request)
    default:
      return Promise.resolve(
        failedResult(outcomeError('notSupported', `${request.verb} is not possible by TR-181 paths`)),
      )
  }
}

/** A request that has no form on the device: the reason, and the parameter of its own to use instead. */
function refused({ message, source }: MappingRefusal): OperationResult {
  const instead = source === undefined ? '' : `; use ${source}`
  return failedResult(outcomeError('notMapped', message + instead))
}
