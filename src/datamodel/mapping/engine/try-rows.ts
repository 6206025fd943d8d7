import type { Model } from '../../model.ts'
import type { MappingRow } from '../row.ts'
import { TRANSFORMS } from '../transforms/index.ts'
import type { InstanceMap } from '../tree/instance-map.ts'
import type { RawTree } from '../tree/raw-tree.ts'
import { scanPath } from '../tree/schema.ts'
import { compileMapping, type Mapping } from './compile.ts'
import type { ReadingTime } from './context.ts'
import { DeviceMapping } from './device-mapping.ts'

/** Reasons for which a parameter that a row names has no value by it. */
export const TRIAL_REASONS = ['noTarget', 'condition', 'value'] as const

/** One parameter of a device that is the source of a row, and its value by that row alone. */
interface RowTrial {
  source: string
  raw: string
  /** The parameter of TR-181 that it gives; absent: no row of TR-181 belongs to its object. */
  target?: string
  value?: string
  /** `condition`: that of the row does not hold. `value`: the raw text is no reading. Absent with a value. */
  reason?: (typeof TRIAL_REASONS)[number]
  /** The parameter that decides the target when all rows of the device are there; absent where that is this one. */
  instead?: string
}

/** The parameters of a device that one row names: how many there are, and the first of them. */
export interface RowTrials {
  found: number
  /** Those of them that have no value by the row. */
  failed: number
  trials: RowTrial[]
}

/** A device to try rows on: its mapping, which has the rows, the numbers of its rows of TR-181, and its tree. */
interface TrialDevice {
  mapping: Mapping
  map: InstanceMap
  family: string | undefined
  tree: RawTree
  time: ReadingTime
}

/**
 * Tries rows on a device: which of its parameters each row names, and the value that it gives them by itself.
 *
 * @param limit Most parameters of one row that are listed.
 */
export function tryRows(
  rows: readonly MappingRow[],
  trial: TrialDevice,
  { model, limit }: { model: Pick<Model, 'parameter'>; limit: number },
): RowTrials[] {
  const { mapping, map, family, tree, time } = trial
  const sources = bySchema(rows, tree)
  const device = new DeviceMapping(mapping, map, family)
  const alone = (row: MappingRow) => new DeviceMapping(compileMapping([row], [], TRANSFORMS, model), map, family)
  return rows.map((row) => {
    const { when: _when, ...always } = row
    const own = alone(row)
    const unconditional = row.when === undefined ? own : alone(always)
    const found: RowTrials = { found: 0, failed: 0, trials: [] }
    for (const [source, raw] of sources.get(row.from) ?? []) {
      const targets = own.targetsOf(source)
      for (const target of targets.length === 0 ? [undefined] : targets) {
        const trial = tryOne({ source, raw }, target, { own, unconditional, device, tree, time })
        found.found++
        if (trial.reason !== undefined) found.failed++
        if (found.trials.length < limit) found.trials.push(trial)
      }
    }
    return found
  })
}

function tryOne(
  parameter: Pick<RowTrial, 'source' | 'raw'>,
  target: string | undefined,
  {
    own,
    unconditional,
    device,
    tree,
    time,
  }: Record<'own' | 'unconditional' | 'device', DeviceMapping> & {
    tree: RawTree
    time: ReadingTime
  },
): RowTrial {
  if (target === undefined) return { ...parameter, reason: 'noTarget' }
  const mapped = own.evaluate(target, tree, time)
  if (mapped === undefined) {
    const decodes = unconditional.evaluate(target, tree, time) !== undefined
    return { ...parameter, target, reason: decodes ? 'condition' : 'value' }
  }
  const winner = device.evaluate(target, tree, time)?.source ?? mapped.source
  const trial: RowTrial = { ...parameter, target, value: mapped.value }
  return winner === undefined || winner === parameter.source ? trial : { ...trial, instead: winner }
}

function bySchema(rows: readonly MappingRow[], tree: RawTree): Map<string, [string, string][]> {
  const wanted = new Map<string, [string, string][]>(rows.map(({ from }) => [from, []]))
  for (const [path, value] of tree.values) wanted.get(scanPath(path).schema)?.push([path, value])
  return wanted
}
