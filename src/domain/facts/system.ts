import type { Reading } from './fact-tree.ts'
import { beganAt, type FactDerivation, type FactFields } from './group.ts'
import type { FactSources } from './live-facts.ts'
import { countIn, percentIn } from './readings.ts'

const INFO = 'Device.DeviceInfo.'
/** Each fact has one place. */
const PLACES: Record<string, string> = {
  upSince: `${INFO}UpTime`,
  cpuPercent: `${INFO}ProcessStatus.CPUUsage`,
  // Total and free memory say more where a device has them: they come last.
  memoryUsedPercent: `${INFO}MemoryStatus.MemoryMonitor.MemUtilization`,
  memoryTotalKib: `${INFO}MemoryStatus.Total`,
  memoryFreeKib: `${INFO}MemoryStatus.Free`,
}
const FACTS = new Map(Object.entries(PLACES).map(([fact, path]) => [path, fact]))

function fieldsOf(fact: string, { value, at }: Reading, before: FactFields): FactFields {
  if (fact === 'upSince') return { upSince: beganAt(countIn(value), at, before.upSince) }
  if (fact === 'cpuPercent') return { cpuPercent: percentIn(value) }
  if (fact === 'memoryUsedPercent') return { memoryUsedPercent: percentIn(value) }
  const memory = countIn(value)
  const fields = { [fact]: memory === 0 ? undefined : memory }
  return { ...fields, ...usedOf({ ...before, ...fields }) }
}

/** The share that is used, where total and free memory are known. */
function usedOf({ memoryTotalKib: total, memoryFreeKib: free }: FactFields): FactFields {
  if (typeof total !== 'number' || typeof free !== 'number' || free > total) return {}
  return { memoryUsedPercent: Math.round(((total - free) / total) * 100) }
}

/** Parameters of the device itself; each gives its fact alone. */
export const SYSTEM: FactDerivation = {
  tables: [],
  objects: [INFO, `${INFO}ProcessStatus.`, `${INFO}MemoryStatus.`, `${INFO}MemoryStatus.MemoryMonitor.`],
  bears: (path) => FACTS.has(path),
  derive(tree, before) {
    let fields: FactFields = {}
    const sources: FactSources = {}
    for (const [fact, path] of Object.entries(PLACES)) {
      const reading = tree.at(path)
      if (reading === undefined) continue
      sources[fact] = path
      fields = { ...fields, ...fieldsOf(fact, reading, { ...fields, upSince: before.upSince }) }
    }
    return { ...fields, ...(Object.keys(sources).length === 0 ? {} : { sources }) }
  },
  take: fieldsOf,
  matters: () => true,
}
