import { BoundedMap, type Clock } from '../base/index.ts'
import { isSearch, schemaPathOf } from '../datamodel/index.ts'
import type {
  DeviceId,
  Operation,
  OperationResult,
  Parameter,
  ParameterStore,
  ParameterType,
  PathOutcome,
} from '../domain/index.ts'

/** Returns the type that a CPE reported for a parameter; undefined where it reported none. */
export type TypeOf = (path: string) => ParameterType | undefined

/** Parameters that are read for the types of the rows of one table. */
const ROW_LOOK = 200
/** Devices whose last read of an object is kept. */
const MAX_DEVICES = 200
/** For so long, in milliseconds: firmware may change. */
const SEEN_MS = 60_000
/** Types that are kept of one read. */
const MAX_TYPES = 500

/** The types below an object, as its last read over CWMP by this process showed them. */
interface Seen {
  at: number
  object: string
  types: ReadonlyMap<string, ParameterType>
}

/**
 * The types that CPE reported for what an operation writes. CWMP alone has types on the wire (TR-069 A.3.2.1: a wrong
 * one is refused, 9006), and only the CPE knows those of its vendor's parameters. The model comes second.
 */
export class ReportedTypes {
  readonly #parameters: ParameterStore
  readonly #clock: Clock
  readonly #seen = new BoundedMap<DeviceId, Seen>(MAX_DEVICES)

  constructor(parameters: ParameterStore, clock: Clock) {
    this.#parameters = parameters
    this.#clock = clock
  }

  /** Returns the types for an operation over CWMP: those of the last read, or those in the record. */
  async of({ deviceId, request }: Operation): Promise<TypeOf | undefined> {
    if (request.verb === 'set') {
      const untyped = request.values.filter(({ type }) => type === undefined).map(({ path }) => path)
      return typesIn(await this.#parameters.getMany(deviceId, untyped))
    }
    if (request.verb !== 'add' || Object.keys(request.values).length === 0) return undefined
    const seen = this.#seen.get(deviceId)
    const ageMs = this.#clock.now() - (seen?.at ?? Number.NEGATIVE_INFINITY)
    // A read of a larger object has shown all rows of the table.
    if (seen !== undefined && ageMs >= 0 && ageMs < SEEN_MS && request.object.startsWith(seen.object))
      return lookUp(seen.types)
    return typesIn((await this.#parameters.list(deviceId, request.object, ROW_LOOK)).items)
  }

  /** Keeps the types of a read of one whole object, which are those that the record has from now on. */
  note({ deviceId, request }: Operation, { outcome, results }: OperationResult): void {
    if (request.verb !== 'get' || request.maxDepth !== undefined || outcome !== 'done') return
    const [object, ...others] = request.paths.filter((path) => path.endsWith('.'))
    if (object === undefined || others.length > 0 || isSearch(object) || results.length > MAX_TYPES) return
    if (results.some(({ error }) => error !== undefined)) return
    const types = typeMap(results.filter(({ path }) => path.startsWith(object)))
    this.#seen.set(deviceId, { at: this.#clock.now(), object, types })
  }
}

function typesIn(known: readonly Parameter[]): TypeOf | undefined {
  return lookUp(typeMap(known.filter(({ source }) => source === 'cwmp')))
}

function typeMap(known: readonly Pick<PathOutcome, 'path' | 'type'>[]): Map<string, ParameterType> {
  const types = new Map<string, ParameterType>()
  for (const { path, type = 'unknown' } of known) if (type !== 'unknown') types.set(schemaPathOf(path), type)
  return types
}

function lookUp(types: ReadonlyMap<string, ParameterType>): TypeOf | undefined {
  return types.size === 0 ? undefined : (path) => types.get(schemaPathOf(path))
}
