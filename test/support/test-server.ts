import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type RunningServer, startServer } from '../../src/cli/server/server.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from './store.ts'

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

/** An answer of the API: its status, its headers, and its body as JSON. */
export interface Answer<T> {
  status: number
  headers: Headers
  body: T
}

/** The whole server, with its store beside it for what no request makes, and a client of its API. `stop` drops the database. */
export interface ServerWithStore {
  server: TestServer
  store: Store
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>
  stop(): Promise<void>
}

export async function startServerWithStore(uri: string): Promise<ServerWithStore> {
  const secretKey = 'test'
  const store = await testStore(uri, { secretBox: createSecretBox(secretKey, systemRandom) })
  const server = await startTestServer(uri, { databaseName: store.databaseName, secretKey })
  return {
    server,
    store,
    async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(`http://127.0.0.1:${server.apiPort}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${server.firstKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as T }
    },
    async stop() {
      await server.stop()
      await store.close()
    },
  }
}
