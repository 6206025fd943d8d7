import { AppError, type Clock } from '../base/index.ts'
import {
  buildInstanceMap,
  familyOf,
  loadModel,
  MAX_RAW_PARAMETERS,
  type MappingRow,
  Mappings,
  RawTree,
  type RowTrials,
  tryRows,
  wlanLayout,
} from '../datamodel/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceStore,
  isInScope,
  type MappingScope,
  notFound,
  type ParameterStore,
  shownValue,
} from '../domain/index.ts'
import type { RowSets } from '../normalization/index.ts'

/** The parts that a check needs. */
interface CheckRowsDeps {
  devices: Pick<DeviceStore, 'get'>
  parameters: Pick<ParameterStore, 'list'>
  rowSets: Pick<RowSets, 'rowsFor'>
  clock: Clock
}

/** The outcome of rows that were tried on the stored tree of one device. */
interface RowsChecked {
  /** The vendor family that the tree of the device shows. */
  family?: string
  /** Parameters of the tree that were looked at. */
  parameters: number
  /** False: the scope leaves the device out, so that it would not have the rows. */
  inScope: boolean
  /** One for each row, in order. */
  rows: RowTrials[]
}

const PAGE = 2_000
/** Parameters of one row that the answer lists. */
const MAX_LISTED = 50

/**
 * Tries rows on the stored tree of a device, together with all rows that it has: nothing is stored, and the device is
 * not asked. AppError `notFound` without such a device, `conflict` when nothing of its tree is stored.
 */
export async function checkRows(
  { devices, parameters, rowSets, clock }: CheckRowsDeps,
  { deviceId, rows, scope = {} }: { deviceId: DeviceId; rows: MappingRow[]; scope?: MappingScope | undefined },
): Promise<RowsChecked> {
  const device = await devices.get(deviceId)
  if (device === undefined) throw notFound('device', deviceId)
  const tree = await storedTree(parameters, deviceId)
  if (tree.values.size === 0)
    throw new AppError('conflict', `nothing of the tree of ${deviceId} is stored yet: submit an operation discover`)
  const family = familyOf(tree.values.keys())
  const kind = { family, models: modelsOf(device) }
  const present = rowSets.rowsFor(device)?.rows ?? []
  const replaced = new Set(rows.map(({ from, to }) => `${from}>${to}`))
  const others = present.filter(({ from, to }) => !replaced.has(`${from}>${to}`))
  const model = loadModel('tr181-cwmp')
  // Compiled for this check alone.
  const mapping = new Mappings(model).of(kind, { version: '', rows: [...rows, ...others] })
  const map = buildInstanceMap(mapping, tree, { family, layout: wlanLayout(kind) }, undefined)
  const trials = tryRows(rows, { mapping, map, family, tree, time: { at: clock.now() } }, { model, limit: MAX_LISTED })
  return {
    ...(family === undefined ? {} : { family }),
    parameters: tree.values.size,
    inScope: isInScope(scope, device),
    rows: trials.map(withoutSecrets),
  }
}

function modelsOf({ model, productClass }: Device): string[] {
  return [...new Set([model ?? '', productClass])].filter((name) => name !== '')
}

async function storedTree(parameters: Pick<ParameterStore, 'list'>, deviceId: DeviceId): Promise<RawTree> {
  const tree = new RawTree([])
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await parameters.list(deviceId, '', PAGE, cursor)
    // The tree of its own, without what was mapped from it.
    for (const { path, value, from } of page.items) if (from === undefined) tree.put(path, value)
    cursor = tree.values.size < MAX_RAW_PARAMETERS ? page.next : undefined
  }
  return tree
}

function withoutSecrets({ trials, ...counts }: RowTrials): RowTrials {
  return {
    ...counts,
    trials: trials.map((trial) => {
      const { source, raw, target, value } = trial
      const shown = shownValue(target ?? source, shownValue(source, raw))
      return value === undefined
        ? { ...trial, raw: shown }
        : { ...trial, raw: shown, value: shownValue(source, shownValue(target ?? source, value)) }
    }),
  }
}
