import type { BaseType } from '../../types.ts'
import { isTrue } from '../booleans.ts'
import { isValueOf, typedReading } from '../transforms/typed.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import { scanObject } from '../tree/schema.ts'
import { aggregate, type Reading } from './aggregate.ts'
import type { CompiledRow, CompiledTarget } from './compile.ts'
import { holds } from './conditions.ts'
import { MappingContext, type ReadingTime, type References } from './context.ts'
import { DevicePaths } from './device-paths.ts'

/** A parameter of TR-181, read from the device's own tree. */
export interface MappedValue {
  path: string
  value: string
  type: BaseType
  /** The parameter that decided the value, and its text; absent for a derived parameter. */
  source?: string
  raw?: string
}

/** The mapping of one device: the rows for all devices, and the numbers of its own objects. */
export class DeviceMapping extends DevicePaths implements References {
  /**
   * Returns a TR-181 parameter: the row with the lowest rank whose source the device has and whose value decodes,
   * else what is derived for it. Undefined when it has no value. Never throws, whatever the values are.
   */
  evaluate(targetPath: string, tree: RawLookup, time: ReadingTime): MappedValue | undefined {
    const { target, row } = this.find(targetPath)
    if (target === undefined) return undefined
    return this.evaluateAt(target, row, targetPath, tree, time)
  }

  /** The same for a target that was looked up before. */
  evaluateAt(
    target: CompiledTarget,
    row: string,
    path: string,
    tree: RawLookup,
    time: ReadingTime,
  ): MappedValue | undefined {
    const type = target.parameter?.type ?? 'string'
    const reading = this.#readRows(target, row, path, tree, time)
    if (reading !== undefined) return { path, value: reading.value, type, source: reading.source, raw: reading.raw }
    const value = this.#derive(target, row, tree, time)
    return value === undefined ? undefined : { path, value, type }
  }

  #readRows(
    target: CompiledTarget,
    row: string,
    path: string,
    tree: RawLookup,
    time: ReadingTime,
  ): Reading | undefined {
    const { rows } = target
    for (let at = 0; at < rows.length; ) {
      const rank = rows[at]?.rank
      let group: Reading[] | undefined
      let how: CompiledRow['row']['agg']
      for (; at < rows.length && rows[at]?.rank === rank; at++) {
        const compiled = rows[at]
        if (compiled === undefined || !this.applies(compiled)) continue
        const objects = compiled.pair.objects(row, this.links, tree)
        // The reading before was the sum, which is nothing to one of its parts.
        const own = compiled.row.agg === 'sum' && objects.length > 1 ? withoutPrevious(time) : time
        for (const object of objects) {
          const reading = this.#read(compiled, object, path, tree, own)
          if (reading === undefined) continue
          if (compiled.row.agg === undefined) {
            if (group === undefined) return reading
            continue
          }
          how = compiled.row.agg
          if (group === undefined) group = [reading]
          else group.push(reading)
        }
      }
      if (group !== undefined && how !== undefined) {
        if (how === 'first' && group.length > 1)
          for (const reading of group) reading.enabled = isTrue(tree.value(`${objectOfSource(reading.source)}Enable`))
        const together = aggregate(how, group)
        // A sum may be too large for the type of its parts.
        if (together === undefined || how !== 'sum' || isReading(target, together.value)) return together
      }
    }
    return undefined
  }

  #read(compiled: CompiledRow, object: string, path: string, tree: RawLookup, time: ReadingTime): Reading | undefined {
    const source = object + compiled.rest
    const raw = tree.value(source)
    if (raw === undefined || !holds(compiled.when, object, tree)) return undefined
    const isTyped = compiled.row.transform === undefined
    const value = isTyped
      ? typedReading(compiled.target.type, raw)
      : this.#decode(compiled, source, path, raw, tree, time)
    return value === undefined ? undefined : { value, source, raw, enabled: true }
  }

  /** A transform that fails on a value has no reading of it: one odd text never keeps the rest of a tree from being read. */
  #decode(
    { transform, target }: CompiledRow,
    source: string,
    path: string,
    raw: string,
    tree: RawLookup,
    time: ReadingTime,
  ): string | undefined {
    try {
      const value = transform?.read(raw, new MappingContext(this, source, path, tree, time))
      return value === undefined || isReading(target, value) ? value : undefined
    } catch {
      return undefined
    }
  }

  #deriving = 0

  #derive(target: CompiledTarget, row: string, tree: RawLookup, time: ReadingTime): string | undefined {
    if (target.derived.length === 0 || this.#deriving >= MAX_DERIVING) return undefined
    this.#deriving++
    try {
      for (const { spec, pair } of target.derived)
        for (const object of pair.objects(row, this.links, tree)) {
          const value = spec.value({
            row,
            object,
            links: this.links,
            tree,
            evaluate: (path) => this.evaluate(path, tree, time)?.value,
          })
          if (value !== undefined) return value
        }
      return undefined
    } finally {
      this.#deriving--
    }
  }
}

/** Returns true for a value of the target's type. */
function isReading({ type }: CompiledTarget, value: string): boolean {
  return type === undefined || isValueOf(type, value)
}

function withoutPrevious({ previous: _previous, ...time }: ReadingTime): ReadingTime {
  return time
}

/** Derived parameters look at others, those perhaps at more: bridges on ports on interfaces, no deeper. */
const MAX_DERIVING = 6

/** The object with the `Enable` of a source: the row of the table that it lies in. */
function objectOfSource(source: string): string {
  return source.slice(0, scanObject(source.slice(0, source.lastIndexOf('.') + 1)).cuts.at(-1) ?? 0)
}
