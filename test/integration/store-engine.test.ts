import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import mongoose from 'mongoose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Log, silentLog } from '../../src/base/index.ts'
import { processLine } from '../../src/store/engine/process.ts'
import { EmbeddedDatabase, findEngine } from '../../src/store/index.ts'
import { ENGINE_CACHE } from '../support/global-setup.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

let dataDir: string
const started: EmbeddedDatabase[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-engine-'))
})
afterEach(async () => {
  for (const database of started.splice(0).reverse()) await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

function database(folder = dataDir): EmbeddedDatabase {
  const made = new EmbeddedDatabase({ dataDir: folder, cacheDir: ENGINE_CACHE, log: silentLog })
  started.push(made)
  return made
}
const lockFile = () => join(dataDir, 'database', 'isthmus.lock')
const pidFile = () => join(dataDir, 'database', 'engine.pid')

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a data folder', () => {
  it('belongs to one server at a time, and a refused one changes nothing for it', async () => {
    const first = database()
    await first.start()
    const before = readFileSync(lockFile(), 'utf8')
    for (let i = 0; i < 2; i++) {
      const second = database()
      await expect(second.start()).rejects.toThrow(/is in use by process \d+; stop it, or give another --data-dir/)
      await second.stop()
      expect(readFileSync(lockFile(), 'utf8')).toBe(before)
      expect(existsSync(pidFile())).toBe(true)
      expect(alive(first.pid)).toBe(true)
    }
  })

  it('whose server was killed is taken over, also when another process has its pid, and its engine is ended', async () => {
    // As after a killed server: an engine without its server, and a lock with a pid that another process has now.
    const storage = join(dataDir, 'database', 'secantusdb')
    mkdirSync(storage, { recursive: true })
    const engine = spawn(findEngine(ENGINE_CACHE) ?? '', ['--port', '0', '--storage-path', storage], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(engine.stdout, 'data')
    const orphan = engine.pid ?? 0
    writeFileSync(pidFile(), processLine(orphan))
    writeFileSync(lockFile(), `${process.ppid} some-earlier-birth\n`)
    const second = database()
    await second.start()
    expect(alive(orphan)).toBe(false)
    expect(alive(second.pid)).toBe(true)
  })

  it('whose lock was cut off while it was written is free', async () => {
    mkdirSync(join(dataDir, 'database'), { recursive: true })
    writeFileSync(lockFile(), '')
    await database().start()
  })

  it('belongs to one of several that find it abandoned at the same time', async () => {
    mkdirSync(join(dataDir, 'database'), { recursive: true })
    writeFileSync(lockFile(), '999999 some-earlier-birth\n')
    const all = [database(), database(), database()]
    const outcomes = await Promise.allSettled(all.map((one) => one.start()))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  it('names its engine and refuses another with the reason', async () => {
    mkdirSync(join(dataDir, 'database'), { recursive: true })
    writeFileSync(join(dataDir, 'database', 'engine.json'), '{"engine":"mongod"}')
    const refused = database()
    await expect(refused.start()).rejects.toThrow(/was written by mongod, and now secantusdb would open it/)
    await refused.stop()
    // Cut off while it was written: the engine's own folder shows the engine.
    writeFileSync(join(dataDir, 'database', 'engine.json'), '')
    mkdirSync(join(dataDir, 'database', 'mongod'))
    await expect(database().start()).rejects.toThrow(/was written by mongod/)
  })
})

describe('the engine', () => {
  it('starts again on its port when it is killed, with all acknowledged writes', async () => {
    const embedded = database()
    await embedded.start()
    const uri = embedded.uri
    const store = await testStore(uri)
    const killed = embedded.pid ?? 0
    const acknowledged: string[] = []
    for (let i = 0; i < 40; i++) {
      await store.audit.append({ at: i, actor: 'system', action: 'test', target: `t${i}`, result: 'ok' })
      acknowledged.push(`t${i}`)
      if (i === 20) process.kill(killed, 'SIGKILL')
    }
    await until(() => embedded.pid !== killed)
    expect(embedded.uri).toBe(uri)
    const { items } = await store.audit.list({ limit: 100 })
    expect(items.map(({ target }) => target).reverse()).toEqual(acknowledged)
    await store.close()
  })

  it('answers no client without its login, whose password and files are for the owner of the folder alone', async () => {
    // As an earlier version left it: without a login, and readable by all.
    const storage = join(dataDir, 'database', 'secantusdb')
    mkdirSync(storage, { recursive: true })
    writeFileSync(join(storage, 'readable'), '', { mode: 0o644 })
    chmodSync(join(dataDir, 'database'), 0o755)
    const first = database()
    await first.start()
    const port = new URL(first.uri).port
    const stranger = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`)
    await expect(stranger.db('test').collection('apiKeys').insertOne({})).rejects.toThrow(/requires authentication/)
    await expect(stranger.db('admin').command({ createUser: 'me', pwd: 'x', roles: [] })).rejects.toThrow(
      /requires auth/,
    )
    await stranger.close()
    const store = await testStore(first.uri)
    await store.events.append([{ type: 'device.booted', at: 1, data: {} }])
    await store.close()
    if (process.platform !== 'win32') {
      const shared = readdirSync(join(dataDir, 'database'), { recursive: true, withFileTypes: true })
        .map(({ parentPath, name }) => join(parentPath, name))
        .filter((path) => (statSync(path).mode & 0o077) !== 0)
      expect(shared).toEqual([])
      expect(statSync(join(dataDir, 'database')).mode & 0o777).toBe(0o700)
    }
    const { password } = new URL(first.uri)
    await first.stop()
    const second = database()
    await second.start()
    expect(new URL(second.uri).password).toBe(password)
    await (await testStore(second.uri)).close()
    await second.stop()

    // A password that is lost is replaced: who has the folder has the data.
    rmSync(join(dataDir, 'database', 'engine.password'))
    const third = database()
    await third.start()
    expect(new URL(third.uri).password).not.toBe(password)
    await (await testStore(third.uri)).close()
  })

  it('is in no process group that a terminal’s Ctrl-C reaches', async () => {
    const embedded = database()
    await embedded.start()
    const group = (pid: number | undefined) =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[2]
    if (process.platform === 'linux') expect(group(embedded.pid)).toBe(String(embedded.pid))
  })

  it('that does not start is reported with its output, and leaves nothing behind', async () => {
    await withMongod('#!/bin/sh\necho "exit: disk is full" >&2\nexit 3\n', async () => {
      const embedded = database()
      await expect(embedded.start()).rejects.toThrow(/ended \(exit 3\) before it was ready: exit: disk is full/)
      await embedded.stop()
      expect(existsSync(lockFile())).toBe(false)
      expect(existsSync(pidFile())).toBe(false)
    })
  })
})

describe('a mongod on PATH', () => {
  const program = `#!/bin/sh\nexec "${process.execPath}" "${resolve(import.meta.dirname, '../support/fake-mongod.mjs')}" "$@"\n`
  const recorded = () =>
    readFileSync(join(dataDir, 'database', 'mongod', 'record.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { args?: string[]; command?: string; argument?: unknown; force?: boolean })

  it('is started on the loopback as a replica set of one, initiated once, and follows its port at the next start', async () => {
    await withMongod(program, async () => {
      const first = database()
      await first.start()
      expect(first.engine).toBe('mongod')
      const port = /:(\d+)\//.exec(first.uri)?.[1]
      expect(first.uri).toBe(`mongodb://127.0.0.1:${port}/?directConnection=true&replicaSet=rs0`)
      const [{ args } = {}, initiate] = recorded()
      expect(args?.slice(0, 8)).toEqual([
        '--bind_ip',
        '127.0.0.1',
        '--port',
        port,
        '--dbpath',
        join(dataDir, 'database', 'mongod'),
        '--replSet',
        'rs0',
      ])
      expect(initiate).toEqual({
        command: 'replSetInitiate',
        argument: { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${port}` }] },
      })
      await first.stop()

      const second = database()
      await second.start()
      const moved = /:(\d+)\//.exec(second.uri)?.[1]
      const reconfigured = recorded().findLast(({ command }) => command === 'replSetReconfig')
      expect(reconfigured).toMatchObject({
        force: true,
        argument: { version: 2, members: [{ host: `127.0.0.1:${moved}` }] },
      })

      // After a kill it starts on the same port, and its configuration is unchanged.
      const killed = second.pid ?? 0
      const before = recorded().filter(({ command }) => command === 'replSetReconfig').length
      process.kill(killed, 'SIGKILL')
      await until(() => second.pid !== killed && recorded().filter(({ args: of }) => of !== undefined).length === 3)
      await second.stop()
      expect(recorded().filter(({ command }) => command === 'replSetReconfig')).toHaveLength(before)
    })
  })

  it('whose storage panics is ended, and started again when its disk has room', async () => {
    await withMongod(program, async () => {
      let free = 1024
      const lines: string[] = []
      const log: Log = { ...silentLog, error: (_fields, text) => void lines.push(text) }
      const embedded = new EmbeddedDatabase({ dataDir, cacheDir: ENGINE_CACHE, log, freeBytes: () => free })
      started.push(embedded)
      await embedded.start()
      const panicked = embedded.pid
      writeFileSync(join(dataDir, 'database', 'mongod', 'panic'), '')
      await until(() => lines.some((line) => line.includes('the disk of the database is full')))
      expect(lines).toEqual([
        'database engine cannot write; ending it',
        'database engine ended; starting it again',
        expect.stringContaining('delete something else on it, or make it larger'),
      ])
      expect(alive(panicked)).toBe(false)
      expect(embedded.pid).toBe(panicked)
      free = 2 ** 40
      await until(() => embedded.pid !== panicked)
      expect(alive(embedded.pid)).toBe(true)
    })
  })

  it('does not open what SecantusDB has written', async () => {
    const first = database()
    await first.start()
    await first.stop()
    await withMongod(program, async () => {
      await expect(database().start()).rejects.toThrow(
        /was written by secantusdb, and now mongod would open it. Take mongod off PATH, or give another --data-dir, or set MONGODB_URI/,
      )
    })
  })
})

/** Runs the work with this program as the only `mongod` on PATH. */
async function withMongod(script: string, work: () => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-path-'))
  const path = process.env.PATH
  writeFileSync(join(folder, 'mongod'), script)
  chmodSync(join(folder, 'mongod'), 0o755)
  process.env.PATH = `${folder}${delimiter}${path}`
  try {
    await work()
  } finally {
    for (const one of started.splice(0).reverse()) await one.stop()
    process.env.PATH = path
    rmSync(folder, { recursive: true, force: true })
  }
}
