import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { silentLog } from '../../src/base/index.ts'
import { EmbeddedDatabase } from '../../src/store/index.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A MongoDB-protocol server for this test run; each suite takes a database name of its own. */
    mongodbUri: string
  }
}

/** The folder that keeps the engine between runs, so that it is fetched once per checkout. */
export const ENGINE_CACHE = process.env.ISTHMUS_ENGINE_CACHE ?? resolve(import.meta.dirname, '../../data/engine')

/** One database for the whole run: MONGODB_URI, or an embedded one in a folder that goes away afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.MONGODB_URI
  if (given !== undefined && given !== '') {
    project.provide('mongodbUri', given)
    return async () => undefined
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'isthmus-test-'))
  const database = new EmbeddedDatabase({ dataDir, cacheDir: ENGINE_CACHE, log: silentLog })
  await database.start()
  project.provide('mongodbUri', database.uri)
  return async () => {
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
