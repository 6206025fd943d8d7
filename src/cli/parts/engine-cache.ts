import { join } from 'node:path'
import { packageRoot } from '../../base/index.ts'
import { findEngine } from '../../store/index.ts'

/**
 * The folder with the fetched database engine: ISTHMUS_ENGINE_CACHE, else the one that `npm run setup` filled in this
 * installation, else one inside the data folder.
 */
export function engineCache(dataDir: string): string {
  const given = process.env.ISTHMUS_ENGINE_CACHE
  if (given !== undefined && given !== '') return given
  const shared = join(packageRoot(import.meta.url), 'data', 'engine')
  return findEngine(shared) === undefined ? join(dataDir, 'engine') : shared
}
