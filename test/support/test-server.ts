import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type RunningServer, startServer } from '../../src/cli/server.ts'
import { type Config, readConfig } from '../../src/config/index.ts'

const nextName = createIdSource(systemClock, systemRandom)

export interface TestServer extends RunningServer {
  readonly databaseName: string
}

/** The whole server on free ports, over a database of its own on the run's MongoDB. */
export async function startTestServer(
  uri: string,
  options: Partial<Record<keyof Config, string>> = {},
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'isthmus-server-'))
  const databaseName = `server_${nextName()}`
  const config = readConfig(
    {
      dataDir,
      mongodbUri: uri,
      databaseName,
      host: '127.0.0.1',
      apiPort: '0',
      cwmpPort: '0',
      uspPort: '0',
      logLevel: 'silent',
      ...options,
    },
    {},
  )
  const server = await startServer(config, { log: silentLog })
  return {
    ...server,
    databaseName,
    async stop() {
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
