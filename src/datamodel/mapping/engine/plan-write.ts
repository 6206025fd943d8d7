import { isCommandLike } from '../../facets.ts'
import { sameParameterValue } from '../../model.ts'
import { MappingRefusal, type RawValue } from '../transform.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import { extensionOf } from '../vendors/recognise.ts'
import type { CompiledRow, CompiledTarget } from './compile.ts'
import { holds } from './conditions.ts'
import { MappingContext, type ReadingTime } from './context.ts'
import type { DeviceMapping } from './device-mapping.ts'
import { chooseObjects, isSelector } from './write-objects.ts'

/** The writes that a request in TR-181 is on the device. */
interface WritePlan {
  /** For one SetParameterValues, in the order in which the request names them; empty where all is as it should be. */
  values: RawValue[]
  /** Parameters of the request that the device shows already. */
  unchanged: string[]
}

/** Returns the Writable flag that the device reports for a parameter of its own; undefined where it is not known. */
type WritableFlag = (rawPath: string) => boolean | undefined

/** Returns true when a TR-181 parameter has a place on the device that can be written, now or after other writes. */
export function canWrite(device: DeviceMapping, path: string, tree: RawLookup, writable?: WritableFlag): boolean {
  const { target, row } = device.find(path)
  return (
    target?.rows.some((compiled) => {
      if (!device.applies(compiled) || compiled.row.copy === true) return false
      if (compiled.transform !== undefined && compiled.transform.write === undefined) return false
      return compiled.pair.objects(row, device.links, tree).some((object) => {
        const source = object + compiled.rest
        return tree.value(source) !== undefined && (writable?.(source) ?? compiled.row.writable === true)
      })
    }) === true
  )
}

/** Most parameters of one request; a device takes some hundred in one SetParameterValues. */
const MAX_WRITES = 1_000

/**
 * Returns what to write on the device for a request in TR-181. A value that the device shows already is not sent: many
 * of its values give one in TR-181. Throws MappingRefusal, with the reason and the own parameter to use where there is
 * one, when a value has no form on the device or two values of the request are one parameter of it.
 */
export function planWrite(
  device: DeviceMapping,
  request: readonly RawValue[],
  tree: RawLookup,
  time: ReadingTime,
  writable: WritableFlag = () => undefined,
): WritePlan {
  if (request.length > MAX_WRITES) throw new MappingRefusal(`a request has at most ${MAX_WRITES} parameters`)
  return new Planner(device, tree, time, writable, request).plan()
}

/** A value to write, and where it comes from. */
interface Planned {
  value: string
  by: string
  /** True: the source of the parameter itself; false: written along with another. */
  own: boolean
  /** True: its transform adds to what the same request has written before. */
  merges: boolean
}

class Planner {
  readonly #device: DeviceMapping
  readonly #base: RawLookup
  readonly #time: ReadingTime
  readonly #writable: WritableFlag
  readonly #request: readonly RawValue[]
  readonly #planned = new Map<string, Planned>()
  readonly #unchanged = new Set<string>()
  /** The tree as it will be after what is planned so far. */
  readonly #tree: RawLookup

  constructor(
    device: DeviceMapping,
    tree: RawLookup,
    time: ReadingTime,
    writable: WritableFlag,
    request: readonly RawValue[],
  ) {
    this.#device = device
    this.#base = tree
    const requested = new Map(request.map(({ path, value }) => [path, value]))
    this.#time = { ...time, requested: (path) => requested.get(path) }
    this.#writable = writable
    this.#request = request
    this.#tree = {
      value: (path) => this.#planned.get(path)?.value ?? tree.value(path),
      children: (object) => tree.children(object),
    }
  }

  /** A write that another of the same request allows (static addressing, then the address) is tried again after it. */
  plan(): WritePlan {
    let open = [...this.#request]
    while (open.length > 0) {
      const refused: { write: RawValue; refusal: MappingRefusal }[] = []
      for (const write of open) {
        const refusal = this.#write(write)
        if (refusal !== undefined) refused.push({ write, refusal })
      }
      if (refused[0] !== undefined && refused.length === open.length) throw refused[0].refusal
      open = refused.map(({ write }) => write)
    }
    for (const write of this.#request) this.#writeUndone(write)
    const values = [...this.#planned].map(([path, { value }]) => ({ path, value }))
    return { values, unchanged: [...this.#unchanged] }
  }

  /**
   * Plans a value that the device showed until a later one of the request changed its place: two values for one
   * parameter are refused in each order.
   */
  #writeUndone(write: RawValue): void {
    const { path, value } = write
    if (!this.#unchanged.has(path)) return
    const { target } = this.#device.find(path)
    const shown = this.#device.evaluate(path, this.#tree, this.#time)?.value
    if (target === undefined || shown === undefined || this.#same(target, shown, value)) return
    const before = this.#device.evaluate(path, this.#base, this.#time)?.value
    if (before === undefined || !this.#same(target, before, value)) return
    this.#unchanged.delete(path)
    const refusal = this.#write(write)
    if (refusal !== undefined) throw refusal
  }

  /** Plans one write; returns why it cannot be done, for now. Throws on two values for one parameter. */
  #write({ path, value }: RawValue): MappingRefusal | undefined {
    const { target, row } = this.#device.find(path)
    if (target === undefined) return new MappingRefusal(`${path} has no place in the device's own tree`)
    if (isSelector(path) && this.#device.links.objectsOf(`${value}.`).length > 0) {
      this.#unchanged.add(path)
      return undefined
    }
    const places = this.#placesOf(target, row)
    const chosen = places.open.filter((place, i) => i === 0 || place.compiled.row.writeAlso === true)
    if (chosen.length === 0) {
      const shown = this.#device.evaluate(path, this.#tree, this.#time)?.value
      if (shown !== undefined && this.#same(target, shown, value)) {
        this.#unchanged.add(path)
        return undefined
      }
      return this.#refusalFor(path, target, places)
    }
    const shown = this.#device.evaluate(path, this.#tree, this.#time)?.value
    const showsIt = shown !== undefined && this.#same(target, shown, value)
    // A value that is aggregated from several places is not written to one of them while the device shows it.
    if (showsIt && !isCommand(target) && target.rows.some(({ row }) => row.agg !== undefined)) {
      this.#unchanged.add(path)
      return undefined
    }
    const sent = this.#writeToAll(chosen, path, value, false)
    if (sent instanceof MappingRefusal) return sent
    if (sent) return undefined
    if (shown === undefined || showsIt) {
      this.#unchanged.add(path)
      return undefined
    }
    // The place of the write shows the value already, and a place of a lower rank shows another.
    const forced = this.#writeToAll(chosen, path, value, true)
    return forced instanceof MappingRefusal ? forced : undefined
  }

  /** Plans the writes to all chosen places; returns whether any is needed, or why one cannot be done. */
  #writeToAll(places: Places['open'], path: string, value: string, always: boolean): boolean | MappingRefusal {
    let sent = false
    for (const { compiled, objects } of places)
      for (const object of objects) {
        const written = this.#writeTo(compiled, object, path, value, always)
        if (written instanceof MappingRefusal) return written
        for (const raw of written) this.#take(raw, path, compiled, object)
        sent ||= written.length > 0
      }
    return sent
  }

  /** Returns the rows by which a parameter can be written, the lowest rank first, and why the others cannot. */
  #placesOf(target: CompiledTarget, row: string): Places {
    const places: Places = { open: [], closed: [] }
    for (const compiled of target.rows) {
      if (!this.#device.applies(compiled)) continue
      const all = compiled.pair.objects(row, this.#device.links, this.#base)
      const objects: string[] = []
      for (const object of all) {
        const source = object + compiled.rest
        const why = this.#closed(compiled, object, source)
        if (why === undefined) objects.push(object)
        else places.closed.push({ source, why })
      }
      if (objects.length > 0)
        places.open.push({
          compiled,
          objects: chooseObjects(compiled, objects, this.#base, this.#request, this.#device),
        })
    }
    return places
  }

  #closed(compiled: CompiledRow, object: string, source: string): Closed['why'] | undefined {
    if (this.#base.value(source) === undefined) return 'absent'
    if (compiled.row.copy === true) return 'copy'
    if (compiled.transform !== undefined && compiled.transform.write === undefined) return 'one way'
    if ((this.#writable(source) ?? compiled.row.writable === true) === false) return 'read only'
    if (!holds(compiled.when, object, this.#tree)) return 'condition'
    if (!holds(compiled.writeWhen, object, this.#tree)) return 'condition'
    return undefined
  }

  /** Returns the values for one source; none when it shows the wanted value already, unless it is `always` written. */
  #writeTo(
    compiled: CompiledRow,
    object: string,
    path: string,
    value: string,
    always: boolean,
  ): RawValue[] | MappingRefusal {
    const source = object + compiled.rest
    const context = new MappingContext(this.#device, source, path, this.#tree, this.#time)
    const raw = this.#tree.value(source)
    if (raw !== undefined && !always && !isCommand(compiled.target)) {
      const shown = compiled.transform === undefined ? raw : readQuietly(compiled, raw, context)
      if (shown !== undefined && this.#same(compiled.target, shown, value)) return []
    }
    if (compiled.transform?.write === undefined) return [{ path: source, value }]
    try {
      return compiled.transform.write(value, context)
    } catch (error) {
      if (error instanceof MappingRefusal) return error
      throw error
    }
  }

  /** Enters a value. A value that the request names goes before one that is written along with another parameter. */
  #take(raw: RawValue, by: string, compiled: CompiledRow, object: string): void {
    const own = raw.path === object + compiled.rest
    const merges = compiled.transform?.merges === true
    const before = this.#planned.get(raw.path)
    if (before !== undefined && before.value !== raw.value && before.by !== by) {
      if (before.own && !own) return
      const joined = before.merges && merges
      if (!joined && before.own === own)
        throw new MappingRefusal(
          `${before.by} and ${by} are one parameter of the device and have two different values`,
          raw.path,
        )
    }
    this.#planned.set(raw.path, { value: raw.value, by, own, merges })
  }

  #refusalFor(path: string, target: CompiledTarget, { closed }: Places): MappingRefusal {
    const best = closed.find(({ why }) => why !== 'absent') ?? closed.find(({ source }) => !this.#isForeign(source))
    if (best !== undefined) {
      const other = best.why === 'copy' ? this.#device.targetOfParameter(best.source) : undefined
      return new MappingRefusal(
        `${path} is ${best.source} on this device and cannot be written: ${REASONS[best.why]}${other === undefined ? '' : `, ${other}`}`,
        best.why === 'absent' ? undefined : best.source,
      )
    }
    const [derived] = target.derived
    if (derived !== undefined)
      return new MappingRefusal(
        `${path} follows from other parameters of this device and cannot be written${derived.spec.instead === undefined ? '' : `; ${derived.spec.instead}`}`,
      )
    return new MappingRefusal(`${path} has no place in the device's own tree`)
  }

  /** Returns true for a place of another vendor, whose name makes a whole SetParameterValues fail where it is written. */
  #isForeign(source: string): boolean {
    const family = extensionOf(source)
    return family !== undefined && family !== this.#device.family
  }

  #same(target: CompiledTarget, a: string, b: string): boolean {
    return sameParameterValue(target.parameter, target.parameter?.type ?? 'string', a, b)
  }
}

interface Closed {
  source: string
  why: 'absent' | 'copy' | 'one way' | 'read only' | 'condition'
}

interface Places {
  open: { compiled: CompiledRow; objects: readonly string[] }[]
  closed: Closed[]
}

/** Parameters that act when they are written show nothing of it: they are always sent. */
function isCommand({ parameter, schema }: CompiledTarget): boolean {
  return isCommandLike(parameter) || schema.endsWith('.DiagnosticsState') || schema.endsWith('.Reset')
}

function readQuietly({ transform }: CompiledRow, raw: string, context: MappingContext): string | undefined {
  try {
    return transform?.read(raw, context)
  } catch {
    return undefined
  }
}

const REASONS: Record<Closed['why'], string> = {
  absent: 'the device has not shown it',
  copy: 'it is shown here, and written through another parameter',
  'one way': 'its value cannot be turned back',
  'read only': 'it is read only there',
  condition: 'another parameter of the device does not allow it now',
}
