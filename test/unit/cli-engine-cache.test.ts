import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { packageRoot } from '../../src/base/index.ts'
import { engineCache } from '../../src/cli/parts/engine-cache.ts'
import { findEngine } from '../../src/store/index.ts'

afterEach(() => vi.unstubAllEnvs())

it('the engine of the embedded database is looked for where it was put: by the variable, in this installation, in the data folder', () => {
  vi.stubEnv('ISTHMUS_ENGINE_CACHE', '/srv/engine')
  expect(engineCache('/var/lib/isthmus')).toBe('/srv/engine')
  vi.stubEnv('ISTHMUS_ENGINE_CACHE', '')
  const shared = join(packageRoot(import.meta.url), 'data', 'engine')
  const expected = findEngine(shared) === undefined ? join('/var/lib/isthmus', 'engine') : shared
  expect(engineCache('/var/lib/isthmus')).toBe(expected)
})
