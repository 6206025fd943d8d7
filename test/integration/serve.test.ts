import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ENGINE_CACHE } from '../support/global-setup.ts'
import { holdProcess } from '../support/held-process.ts'
import { until } from '../support/until.ts'

const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
let dataDir: string
const children: ChildProcess[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-serve-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const engine = enginePid()
  if (engine > 0 && alive(engine)) process.kill(engine, 'SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
})

/** `isthmus serve` in a process group of its own, as a terminal starts it. */
function serve(flags: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const all = ['serve', '--data-dir', dataDir, '--host', '127.0.0.1', '--log-level', 'warn']
  for (const port of ['--api-port', '--cwmp-port', '--usp-port']) if (!flags.includes(port)) all.push(port, '0')
  const child = spawn(process.execPath, [MAIN, ...all, ...flags], {
    env: { ...process.env, MONGODB_URI: '', ISTHMUS_ENGINE_CACHE: ENGINE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  children.push(child)
  const run = { child, log: '', said: '', exit: once(child, 'exit').then(([code]) => code as number | null) }
  child.stdout.on('data', (data) => {
    run.log += String(data)
  })
  child.stderr.on('data', (data) => {
    run.said += String(data)
  })
  return run
}
type Run = ReturnType<typeof serve>
const api = (run: Run) => /API (http:\/\/127.0.0.1:\d+)/.exec(run.said)?.[1] ?? ''
const up = (run: Run) => until(() => api(run) !== '')

function enginePid(): number {
  const file = join(dataDir, 'database', 'engine.pid')
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0
}
function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a server that is told to stop', () => {
  it('by Ctrl-C in its terminal ends its work before its database, and leaves the folder free', async () => {
    const run = serve()
    await up(run)
    expect((await fetch(`${api(run)}/readyz`)).status).toBe(200)
    const engine = enginePid()
    // To the whole group, as a terminal does.
    process.kill(-(run.child.pid ?? 0), 'SIGINT')
    expect(await run.exit).toBe(0)
    expect(run.said).toContain('SIGINT: stopping')
    // A machine may allow fewer open files than the default limits need.
    expect(run.log.split('\n').filter((line) => line !== '' && !line.includes('limit of open files'))).toEqual([])
    expect(alive(engine)).toBe(false)
    expect(existsSync(join(dataDir, 'database', 'isthmus.lock'))).toBe(false)
  })

  it('while it starts stops as soon as it is up', async () => {
    const run = serve()
    await until(() => enginePid() > 0)
    const engine = enginePid()
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(0)
    expect(run.said).toContain('SIGTERM: stopping as soon as the start is through')
    await until(() => !alive(engine))
  })

  it('a second time ends at once, and the next start goes on', async () => {
    const run = serve()
    await up(run)
    // A database that hangs would hold up the end of the work.
    await holdProcess(enginePid())
    run.child.kill('SIGTERM')
    await until(() => run.said.includes('SIGTERM: stopping'))
    await until(() => {
      run.child.kill('SIGTERM')
      return run.child.exitCode !== null
    })
    expect(await run.exit).toBe(1)
    expect(run.said).toContain('SIGTERM again: ending at once')
    process.kill(enginePid(), 'SIGCONT')
    const next = serve()
    await up(next)
  })
})

describe('a server with insecure settings', () => {
  it('has one line in its log for each of them', async () => {
    const run = serve(['--enrolment', 'open', '--agent-admission', 'open'])
    await up(run)
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(0)
    const lines = run.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { option?: string; risk?: string; msg: string })
      .filter(({ msg }) => msg === 'insecure setting')
    expect(lines.map(({ option }) => option)).toEqual(['--enrolment', '--agent-admission'])
    for (const { risk } of lines) expect(risk).toMatch(/: set --/)
  })
})

describe('a server that cannot start', () => {
  const sentence = async (run: Run) => {
    expect(await run.exit).toBe(1)
    // One sentence, no stack.
    expect(run.said).not.toMatch(/\n\s+at /)
    return run.said
  }

  it('names the option of a port that is taken, and stops the database that it has started', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const run = serve(['--cwmp-port', String(port)])
    expect(await sentence(run)).toContain(
      `port ${port} is in use by another program; give another one with --cwmp-port`,
    )
    expect(existsSync(join(dataDir, 'database', 'engine.pid'))).toBe(false)
    other.close()
  })

  it('names the option of an address that the machine does not have', async () => {
    const first = serve(['--host', '192.0.2.1'])
    expect(await sentence(first)).toMatch(/this machine has no address 192\.0\.2\.1; give one that it has with --host,/)
    const second = serve(['--api-host', '192.0.2.1', '--api-tls', 'off'])
    expect(await sentence(second)).toMatch(/no address 192\.0\.2\.1; give one that it has with --api-host,/)
  })

  it('says that the data folder belongs to another server, and harms neither', async () => {
    const first = serve()
    await up(first)
    const second = serve()
    expect(await sentence(second)).toMatch(
      /data folder \S+ is in use by process \d+; stop it, or give another --data-dir/,
    )
    expect((await fetch(`${api(first)}/readyz`)).status).toBe(200)
    const third = serve()
    expect(await sentence(third)).toMatch(/is in use by process/)
  })

  it('says which folder it cannot use', async () => {
    writeFileSync(join(dataDir, 'file'), '')
    expect(await sentence(serve(['--data-dir', join(dataDir, 'file')]))).toMatch(
      /data folder \S+file cannot be used: there is a file of that name \(EEXIST, \S+\); .*--data-dir/,
    )
  })

  it('says that MongoDB does not answer, without its password', async () => {
    const run = serve([], { MONGODB_URI: 'mongodb://user:hunter2@127.0.0.1:9/?directConnection=true' })
    const said = await sentence(run)
    expect(said).toContain('MongoDB at mongodb://127.0.0.1:9/ does not answer')
    expect(said).not.toContain('hunter2')
  })

  it('says what is wrong with its certificate before it touches the database', async () => {
    const cert = join(dataDir, 'cert.pem')
    writeFileSync(cert, 'no certificate')
    const run = serve(['--tls-cert', cert, '--tls-key', cert])
    expect(await sentence(run)).toContain(`--tls-cert: ${cert} holds no PEM`)
    expect(existsSync(join(dataDir, 'database'))).toBe(false)
  })
})

describe('a server whose database hangs', () => {
  it('is alive and not ready, says so in time, and is ready again afterwards', async () => {
    const run = serve()
    await up(run)
    await holdProcess(enginePid())
    try {
      expect((await fetch(`${api(run)}/healthz`)).status).toBe(200)
      const readiness = () => fetch(`${api(run)}/readyz`, { signal: AbortSignal.timeout(10_000) })
      // The answer of the second before may still stand.
      await until(async () => (await readiness()).status === 503)
      expect(await (await readiness()).json()).toMatchObject({
        status: 'not ready',
        reason: expect.stringContaining('did not write and read'),
      })
    } finally {
      process.kill(enginePid(), 'SIGCONT')
    }
    await until(async () => (await fetch(`${api(run)}/readyz`)).status === 200)
  })
})
