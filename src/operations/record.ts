import type { Clock } from '../base/index.ts'
import { isSearch, type Model } from '../datamodel/index.ts'
import {
  bearsOnFacts,
  bootstrapOf,
  type CollectedValue,
  changeSubscriptions,
  collected,
  type Device,
  type DeviceChange,
  type DeviceFacts,
  type DevicePatch,
  type DeviceStore,
  factsFrom,
  factsPatch,
  firmwareEvent,
  numberOf,
  type Operation,
  type OperationResult,
  type Parameter,
  type ParameterStore,
  type ParameterWrite,
  type PathOutcome,
  type Protocol,
  parameterChanges,
  type RequestFor,
  resultWithoutSecrets,
  rowsToAdd,
  vanishedSince,
} from '../domain/index.ts'
import { isAbsent } from './reconcile.ts'

/** Path outcomes that an operation keeps; the record has the values of larger reads. */
const RESULTS_KEPT = 1000

/**
 * Returns the changes that a result makes in the record of its device. Drivers put all values that an operation read or
 * wrote, also the thousands of a discovery, into `results` and store nothing themselves. Facts (model, version, ...)
 * are taken from the values; secrets are stored empty; a deleted row is dropped with everything below it.
 */
export function changesOf(
  operation: Pick<Operation, 'deviceId' | 'request'>,
  result: OperationResult,
  device: Device,
  source: Protocol,
  model: Model,
  now: number,
): DeviceChange[] {
  const { deviceId } = operation
  // A request in the device's own paths has results in them, and the record keeps both as they are.
  const { request } = result.own ?? operation
  if (request.verb === 'delete') {
    const gone = (result.own ?? result).results.filter(
      ({ path, error }) => path.endsWith('.') && (error === undefined || isAbsent(error)),
    )
    return gone.length === 0 ? [] : [{ deviceId, dropSubtrees: gone.map(({ path }) => path) }]
  }
  if (request.verb === 'subscribe') {
    if (source !== 'cwmp' || result.outcome !== 'done' || device.cwmp === undefined) return []
    const asked = operation.request.verb === 'subscribe' ? operation.request.paths : request.paths
    const isOwn = asked.length === request.paths.length && asked.every((path) => request.paths.includes(path))
    const recorded = { bootstrapAt: bootstrapOf(device), ...(isOwn ? {} : { asked }) }
    const { subscriptions } = changeSubscriptions(device.cwmp.subscriptions ?? [], request, recorded)
    return [{ deviceId, set: { 'cwmp.subscriptions': subscriptions } }]
  }
  const values = valuesOf({ request }, result.own === undefined ? result : { ...result, ...result.own, read: [] })
  // Values that a CPE answers under the other root are mapped, and follow from its own values.
  const shown = values.filter(
    ({ path }) => source !== 'cwmp' || device.root === undefined || path.startsWith(device.root),
  )
  const parameters = collected(shown, { source, collectedAt: now, modelOf: () => model })
  const changes = parameterChanges(deviceId, parameters)
  const [first] = changes
  if (first === undefined) return []
  const facts = factsFrom(parameters.map(({ path, value }) => ({ name: path, value })))
  const set = { ...factsPatch(device, facts), ...contactPatch(device, facts) }
  if (Object.keys(set).length > 0) first.set = set
  const firmware = firmwareEvent(deviceId, source, device, set, now)
  if (firmware !== undefined) first.events = [firmware]
  return changes
}

/**
 * Returns the changes of the Inform interval and the connection request URL: presence and connection requests use them
 * from now on, not from the next Inform.
 */
function contactPatch({ cwmp }: Device, { informIntervalS, connectionRequestUrl }: DeviceFacts): DevicePatch {
  const patch: DevicePatch = {}
  if (cwmp === undefined) return patch
  const interval = numberOf(informIntervalS)
  if (interval !== undefined && interval !== cwmp.informIntervalS) patch['cwmp.informIntervalS'] = interval
  if (connectionRequestUrl !== undefined && connectionRequestUrl !== (cwmp.connectionRequestUrl ?? ''))
    patch['cwmp.connectionRequestUrl'] = connectionRequestUrl
  return patch
}

/**
 * Returns the values that the device has now: those of the answer, and after a success those written that the answer
 * does not name.
 */
function valuesOf(
  { request }: Pick<Operation, 'request'>,
  { results, outcome, read: after = [] }: OperationResult,
): CollectedValue[] {
  // Values that were read after the answer are newer than it.
  const later = new Set(after.map(({ path }) => path))
  const plain = [...after, ...results.filter(({ path }) => !later.has(path))].filter(
    (result) => result.error === undefined && !result.path.endsWith('.'),
  )
  const read = plain.flatMap((result) => (result.value === undefined ? [] : [{ ...result, value: result.value }]))
  if (outcome !== 'done') return read
  const refused = new Set(results.filter(({ error }) => error !== undefined).map(({ path }) => path))
  const known = new Set(read.map(({ path }) => path))
  const written: CollectedValue[] = []
  if (request.verb === 'set') written.push(...request.values)
  if (request.verb === 'add') written.push(...addedValues(request, results))
  const accepted = written.filter(({ path }) => !known.has(path) && !refused.has(path) && !isSearch(path))
  return [...read, ...accepted]
}

/**
 * Returns the values of added rows. A result names the table of its row as the request does, and rows of one table are
 * in the order of the request; a search path that is asked for once makes the same row in each table that it finds.
 */
function addedValues(request: RequestFor<'add'>, results: readonly PathOutcome[]): CollectedValue[] {
  const rows = rowsToAdd(request)
  return [...new Set(rows.map(({ object }) => object))].flatMap((object) => {
    const asked = rows.filter((row) => row.object === object)
    const created = results.flatMap((result) => (result.path === object ? (result.created ?? []) : []))
    const isClear = created.length === asked.length || (isSearch(object) && asked.length === 1)
    if (!isClear) return []
    return created.flatMap((row, n) =>
      Object.entries((asked[n] ?? asked[0])?.values ?? {}).map(([name, value]) => ({ path: row + name, value })),
    )
  })
}

/**
 * Returns the objects whose whole content a result shows: of a discovery, and of a `get` of objects without a depth.
 * Empty for a result that failed as a whole; an object with an error of its own is left out.
 */
function wholeObjects(request: Operation['request'], { results, error }: OperationResult): string[] {
  const failed = new Set(results.flatMap((result) => (result.error === undefined ? [] : [result.path])))
  if (error !== undefined && failed.size === 0) return []
  if (request.verb === 'discover') return [request.path ?? ''].filter((path) => !failed.has(path))
  if (request.verb !== 'get' || request.maxDepth !== undefined) return []
  return request.paths.filter((path) => path.endsWith('.') && !isSearch(path) && !failed.has(path))
}

/**
 * Returns the result that the operation keeps, without secrets. The record has the values of a discovery and of a read
 * beyond the limit.
 */
export function resultToKeep(
  { request }: Pick<Operation, 'request'>,
  { own: _own, ...full }: OperationResult,
): OperationResult {
  const result = resultWithoutSecrets(full)
  if (request.verb === 'discover') {
    const errors = result.results.filter(({ error }) => error !== undefined)
    const values = result.results.length - errors.length
    return {
      ...result,
      results: errors.slice(0, RESULTS_KEPT),
      output: { ...result.output, parameters: String(values) },
    }
  }
  if (result.results.length <= RESULTS_KEPT) return result
  const output = { ...result.output, omitted: String(result.results.length - RESULTS_KEPT) }
  return { ...result, results: result.results.slice(0, RESULTS_KEPT), output }
}

interface RecorderDeps {
  devices: DeviceStore
  parameters: ParameterStore
  clock: Clock
  modelFor(device: Device, protocol: Protocol): Model
}

/** Writes what an operation read or changed into the record of its device, before the operation itself ends. */
export class Recorder {
  readonly #deps: RecorderDeps

  constructor(deps: RecorderDeps) {
    this.#deps = deps
  }

  /** Resolves when all of it is durable. */
  async record(operation: Operation, result: OperationResult, device: Device, source: Protocol): Promise<void> {
    const last = await this.recordAhead(operation, result, device, source)
    if (last !== undefined) await this.#deps.devices.commit(last)
  }

  /**
   * Commits all but the last change, and returns that one for the commit that ends the operation; undefined when there
   * is none.
   */
  async recordAhead(
    operation: Operation,
    result: OperationResult,
    device: Device,
    source: Protocol,
  ): Promise<DeviceChange | undefined> {
    const { devices, parameters, clock, modelFor } = this.#deps
    const model = modelFor(device, source)
    const now = clock.now()
    let changes = changesOf(operation, result, device, source, model, now)
    const { deviceId } = operation
    const { request, results } = result.own ?? { ...operation, ...result }
    const objects = wholeObjects(request, result.own === undefined ? result : { ...result, results })
    if (objects.length > 0) {
      const knows = (object: string) => model.object(object) !== undefined
      const read = { deviceId, objects, results, source, knows }
      const stored = new Map<string, Parameter>()
      const keep = skipsEqual(operation) ? (parameter: Parameter) => stored.set(parameter.path, parameter) : undefined
      const { subtrees, parameters: single } = await vanishedSince(read, parameters, keep)
      if (stored.size > 0) changes = changes.flatMap((change) => withoutEqual(change, stored, now) ?? [])
      if (subtrees.length + single.length > 0)
        changes.unshift({ deviceId, dropSubtrees: subtrees, dropParameters: single })
    }
    const last = changes.pop()
    const isMany =
      changes.length > 1 && [...changes, last].some((change) => change !== undefined && bearsOnFacts(change))
    for (const change of changes) await devices.commit(isMany ? { ...change, facts: 'later' } : change)
    return isMany && last !== undefined ? { ...last, facts: 'all' } : last
  }
}

/** Age at which an equal value is written again, so that its stored time is right to a day. */
const EQUAL_FOR_MS = 86_400_000

/**
 * Returns true when values that the record has already need not be written again. A person or program that reads looks
 * for the time of a value; the planner, which reads the same objects at each step of a migration, does not.
 */
function skipsEqual({ actor }: Pick<Operation, 'actor'>): boolean {
  return actor.kind === 'planner'
}

/** Returns a change without the values that the record has already, by path; undefined when nothing is left of it. */
function withoutEqual(
  change: DeviceChange,
  stored: ReadonlyMap<string, Parameter>,
  now: number,
): DeviceChange | undefined {
  const { parameters = [], ...rest } = change
  const changed = parameters.filter((write) => !isKnown(write, stored.get(write.path), now))
  if (changed.length > 0) return { ...rest, parameters: changed }
  return Object.keys(rest).length > 1 ? rest : undefined
}

function isKnown(write: ParameterWrite, stored: Parameter | undefined, now: number): boolean {
  if (stored === undefined) return false
  const ageMs = now - stored.collectedAt
  return (
    ageMs >= 0 &&
    ageMs < EQUAL_FOR_MS &&
    write.value === stored.value &&
    write.source === stored.source &&
    (write.type === 'unknown' || write.type === stored.type) &&
    (write.writable === undefined || write.writable === stored.writable)
  )
}
