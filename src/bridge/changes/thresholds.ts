import { schemaPathOf } from '../../datamodel/index.ts'
import type { Threshold } from './interests.ts'

type Entry = readonly [path: string, value: string]

/** A value that has crossed a threshold. */
interface Crossing {
  readonly threshold: Threshold
  readonly path: string
  readonly value: string
}

/**
 * Notices values that cross thresholds: `Rise` above the value, `Fall` below it, `Eq` to it, `NotEq` away from it. A
 * value that is first seen on the far side has crossed, too; one that stays there crosses once.
 */
export class Crossings {
  readonly #compile: (parameters: string) => RegExp
  /** Patterns of the thresholds of the last call, by the parameters that they stand for. */
  #patterns: ReadonlyMap<string, RegExp> = new Map()
  /** Parameters on the far side, by the row of the threshold and what it says. */
  #beyond = new Map<string, ReadonlySet<string>>()

  constructor(compile: (parameters: string) => RegExp = patternOf) {
    this.#compile = compile
  }

  /** Returns what has crossed since the last call, of values by path. */
  take(thresholds: readonly Threshold[], values: ReadonlyMap<string, string>): Crossing[] {
    const entries = this.#entriesOf(thresholds, values)
    const found: Crossing[] = []
    const now = new Map<string, ReadonlySet<string>>()
    for (const threshold of thresholds) {
      const id = JSON.stringify(threshold)
      const before = this.#beyond.get(id)
      const beyond = new Set<string>()
      for (const [path, value] of entries.get(threshold.parameters) ?? []) {
        if (!isBeyond(threshold, value)) continue
        beyond.add(path)
        if (before?.has(path) !== true) found.push({ threshold, path, value })
      }
      now.set(id, beyond)
    }
    this.#beyond = now
    return found
  }

  /** Values that thresholds are about, by their parameters: each pattern is compiled once, and matched once a look. */
  #entriesOf(thresholds: readonly Threshold[], values: ReadonlyMap<string, string>): ReadonlyMap<string, Entry[]> {
    const bySchema = thresholds.length === 0 ? new Map<string, Entry[]>() : sorted(values)
    const entries = new Map<string, Entry[]>()
    const patterns = new Map<string, RegExp>()
    for (const { parameters } of thresholds) {
      if (entries.has(parameters)) continue
      const value = values.get(parameters)
      if (parameters.includes('*')) {
        const pattern = this.#patterns.get(parameters) ?? this.#compile(parameters)
        patterns.set(parameters, pattern)
        const some = bySchema.get(schemaPathOf(parameters)) ?? []
        entries.set(
          parameters,
          some.filter(([path]) => pattern.test(path)),
        )
      } else if (value !== undefined) entries.set(parameters, [[parameters, value]])
    }
    this.#patterns = patterns
    return entries
  }
}

/** Sorts values out by the schema paths of their parameters. */
function sorted(values: ReadonlyMap<string, string>): ReadonlyMap<string, Entry[]> {
  const bySchema = new Map<string, Entry[]>()
  for (const entry of values) {
    const schema = schemaPathOf(entry[0])
    const some = bySchema.get(schema)
    if (some === undefined) bySchema.set(schema, [entry])
    else some.push(entry)
  }
  return bySchema
}

/** Returns the pattern of the paths that a path with `*` for any instance stands for. */
function patternOf(parameters: string): RegExp {
  return new RegExp(`^${parameters.replaceAll('.', '\\.').replaceAll('*', '\\d+')}$`)
}

function isBeyond({ operator, value: limit }: Threshold, value: string): boolean {
  if (operator === 'Eq') return value === limit
  if (operator === 'NotEq') return value !== limit
  if (value === '' || limit === '') return false
  const [left, right] = [Number(value), Number(limit)]
  return operator === 'Rise' ? left > right : operator === 'Fall' && left < right
}
