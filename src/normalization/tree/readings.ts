import { defined } from '../../base/index.ts'
import { type DeviceMapping, isSecret, loadModel, type MappedValue, type ReadingTime } from '../../datamodel/index.ts'
import { type Parameter, type ParameterWrite, storable } from '../../domain/index.ts'
import { OWN_ROOT } from './paths.ts'
import type { StoredTree } from './stored-tree.ts'

/** The stored values of a device: those of its own tree with what is newer, and each as it was stored. */
interface Readable {
  /** Returns the time at which a value of the own tree was read; undefined for one that is read now. */
  readAt(path: string): number | undefined
  parameter(path: string): Pick<Parameter, 'value' | 'collectedAt' | 'from'> | undefined
}

/**
 * Returns the time of readings of a stored tree at `at`: what was there before, when each value was read, and the last
 * boot that the device has reported.
 */
export function readingTime(tree: Readable, at: number, bootAt?: () => number | undefined): ReadingTime {
  return {
    at,
    readAt: (path) => tree.readAt(path) ?? at,
    ...defined({ bootAt }),
    previous: (path) => {
      const before = tree.parameter(path)
      const raw = before?.from?.value
      return before === undefined || raw === undefined
        ? undefined
        : { ...defined({ source: before.from?.path }), raw, value: before.value, at: before.collectedAt }
    },
  }
}

/** Returns a mapped value as the record keeps it; undefined for one that it does not keep. Secrets are stored empty. */
export function mappedWrite(mapped: MappedValue, collectedAt: number): ParameterWrite | undefined {
  const { path, value, type, source, raw } = mapped
  const model = loadModel('tr181-cwmp')
  const secret = isSecret(path, model)
  const kept = storable({ path, value, type, source: 'cwmp', collectedAt }, model, secret)
  if (kept === undefined) return undefined
  if (source === undefined || raw === undefined) return { ...kept, from: {} }
  if (secret) return { ...kept, from: { path: source } }
  const own = storable({ path: source, value: raw, type: 'string', source: 'cwmp', collectedAt }, modelOf(source))
  return { ...kept, from: own === undefined ? { path: source } : { path: source, value: own.value } }
}

function modelOf(path: string) {
  return loadModel(path.startsWith(OWN_ROOT) ? 'tr098' : 'tr181-cwmp')
}

/** The values of parameters of TR-181 now: those that have one, and the paths of those that have none. */
interface Readings {
  values: MappedValue[]
  absent: string[]
}

/** Evaluates parameters of TR-181 over a stored tree, which is read as far as they need it. */
export async function read(
  mapping: DeviceMapping,
  targets: Iterable<string>,
  tree: StoredTree,
  time: ReadingTime,
): Promise<Readings> {
  const values: MappedValue[] = []
  const absent: string[] = []
  const evaluate = (path: string) => mapping.evaluate(path, tree, time) ?? path
  for (const found of await tree.whenReadEach(targets, evaluate))
    if (typeof found === 'string') absent.push(found)
    else values.push(found)
  return { values, absent }
}
