import { coverageIdOf, coverageWith, type MappingCoverage, type ModelCoverage } from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'
import { pageOf } from './memory-page.ts'

/** The coverage of models in memory; every tree is counted. */
export function memoryMappingCoverage(): MappingCoverage {
  const models = new Map<string, ModelCoverage>()
  return {
    isDue: () => true,
    async note(device, note) {
      const id = coverageIdOf(device)
      models.set(id, coverageWith(models.get(id), device, note))
    },
    async list({ limit, cursor = '' }) {
      const behind = [...models.values()].filter(({ id }) => id > cursor).sort((a, b) => (a.id < b.id ? -1 : 1))
      return pageOf(copyOf(behind), limit, ({ id }) => id)
    },
  }
}
