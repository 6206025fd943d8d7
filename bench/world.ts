import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createLog, packageRoot } from '../src/base/index.ts'
import { type ApiClient, createApiClient } from '../src/demo/api-client.ts'
import { type Child, startChild } from '../src/demo/child.ts'
import { EmbeddedDatabase } from '../src/store/index.ts'
import { type Shares, sharesWhile } from './profile.ts'

/** The subject of a row: the whole server in a process of its own, and the database in another. */
export interface World {
  api: ApiClient
  /** The API key. */
  key: string
  apiPort: number
  cwmpPort: number
  uspPort: number
  enrolmentSecret: string
  endpointId: string
  databaseUri: string
  databaseName: string
  /** Processes by name, for CPU and memory. */
  pids: { server: number; database: number | undefined }
  /** Commands that the server has sent to the database so far. */
  databaseCommands(): Promise<number>
  /** The same by the name of the command. */
  commandsByName(): Promise<Map<string, number>>
  /** Seconds that the event loop of the server was late at most since this was asked last. */
  loopDelay(): Promise<number>
  /** Shares of the server's CPU time by part, while `work` runs: a profile slows it down, so nothing else is measured. */
  shares(work: () => Promise<unknown>): Promise<Shares>
  stop(): Promise<void>
}

/** Starts both over an empty data folder; `flags` go to the server. */
export async function startWorld(flags: string[] = []): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'isthmus-bench-'))
  const cacheDir = process.env.ISTHMUS_ENGINE_CACHE ?? resolve(packageRoot(import.meta.url), 'data/engine')
  const database = new EmbeddedDatabase({ dataDir, cacheDir, log: createLog({ level: 'warn' }) })
  await database.start()
  const databaseName = 'bench'
  let server: Child
  const profile = join(dataDir, 'profile')
  const preload = `--import ${new URL('profiler.js', import.meta.url).href}`
  try {
    server = await startChild({
      name: 'server',
      env: { BENCH_PROFILE: profile, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${preload}`.trim() },
      script: resolve(import.meta.dirname, '../src/cli/main.js'),
      // As it is started in production.
      execArgv: ['--max-semi-space-size=32'],
      args: [
        ...['serve', '--data-dir', dataDir, '--host', '127.0.0.1', '--log-level', 'warn', '--secret-key', 'bench'],
        ...['--mongodb-uri', database.uri, '--database-name', databaseName],
        ...['--api-port', '0', '--cwmp-port', '0', '--usp-port', '0', '--agent-admission', 'open'],
        ...['--max-new-devices-per-hour', '0', ...flags],
      ],
      readyTimeoutMs: 120_000,
      logFd: openSync(join(dataDir, 'server.log'), 'a'),
    })
  } catch (error) {
    await database.stop()
    throw error
  }
  const ready = server.ready as Record<'apiPort' | 'cwmpPort' | 'uspPort', number> &
    Record<'firstKey' | 'enrolmentSecret' | 'endpointId', string>
  const { apiPort, cwmpPort, uspPort, firstKey, enrolmentSecret, endpointId } = ready
  const metrics = async () => {
    const answer = await fetch(`http://127.0.0.1:${apiPort}/metrics`, {
      headers: { authorization: `Bearer ${firstKey}` },
    })
    if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`)
    return answer.text()
  }
  const commandsByName = async () => {
    const found = (await metrics()).matchAll(/^isthmus_database_commands_total\{command="(\w+)"\} (\d+)/gm)
    return new Map([...found].map(([, name = '', count]) => [name, Number(count)]))
  }
  return {
    api: createApiClient(`http://127.0.0.1:${apiPort}/api/v1`, firstKey),
    key: firstKey,
    apiPort,
    cwmpPort,
    uspPort,
    enrolmentSecret,
    endpointId,
    databaseUri: database.uri,
    databaseName,
    pids: { server: server.process.pid ?? 0, database: database.pid },
    async databaseCommands() {
      return [...(await commandsByName()).values()].reduce((sum, count) => sum + count, 0)
    },
    commandsByName,
    async loopDelay() {
      return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(await metrics())?.[1] ?? Number.NaN)
    },
    shares: (work) => sharesWhile(server.process.pid ?? 0, profile, work),
    async stop() {
      await server.stop()
      await database.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
