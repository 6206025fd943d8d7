import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type RunningServer, startServer } from '../../src/cli/server/server.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import { answerProblems, type OpenApi } from './json-schema.ts'
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
  const { databaseName = `server_${nextName()}` } = options
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

/** Returns a client of the API of a server, which checks every answer against the description that the server gives. */
export async function checkedClient(server: TestServer): Promise<ServerWithStore['call']> {
  const base = `http://127.0.0.1:${server.apiPort}/api/v1`
  const key = { authorization: `Bearer ${server.firstKey}` }
  const document = (await (await fetch(`${base}/openapi.json`, { headers: key })).json()) as OpenApi
  return async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { ...key, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const { status } = response
    const text = await response.text()
    const answer: unknown = text === '' ? undefined : JSON.parse(text)
    const problems =
      answer === undefined ? [] : answerProblems(document, { method, path: `/api/v1${path}`, status, body: answer })
    if (problems.length > 0)
      throw new Error(`${method} ${path} ${status} does not match openapi.json: ${problems.slice(0, 10).join('; ')}`)
    return { status, headers: response.headers, body: (answer ?? {}) as T }
  }
}

/**
 * The whole server, with its store beside it for what no request makes, and a client of its API. `stop` drops the
 * database.
 */
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

export async function startServerWithStore(
  uri: string,
  options: Partial<Record<keyof Config, string>> = {},
): Promise<ServerWithStore> {
  const secretKey = 'test'
  const store = await testStore(uri, { secretBox: createSecretBox(secretKey, systemRandom) })
  const server = await startTestServer(uri, { databaseName: store.databaseName, secretKey, ...options })
  return {
    server,
    store,
    call: await checkedClient(server),
    async stop() {
      await server.stop()
      await store.close()
    },
  }
}
