import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.ts'
import { ENGINE_CACHE } from '../support/global-setup.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
const BLOCKS = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
const SEPARATOR = '=== next block ==='

/** A process, or with a negative number its group; there may be none any more. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' })
  }
}

it('the commands of the page about operations run as written', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-operations-'))
  symlinkSync(join(ROOT, 'dist'), join(folder, 'dist'))
  const [apiPort, cwmpPort, cwmpsPort, uspPort] = (await freePorts(4)).map(String)
  const script = ['set -euo pipefail', ...BLOCKS.map((block) => `${block}\necho '${SEPARATOR}'`)].join('\n')
  const bash = spawn('bash', ['-c', script], {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      MONGODB_URI: '',
      ISTHMUS_ENGINE_CACHE: ENGINE_CACHE,
      ISTHMUS_HOST: '127.0.0.1',
      ISTHMUS_API_PORT: apiPort,
      ISTHMUS_CWMP_PORT: cwmpPort,
      ISTHMUS_CWMPS_PORT: cwmpsPort,
      ISTHMUS_USP_PORT: uspPort,
      ISTHMUS_LOG_LEVEL: 'warn',
    },
  })
  let [output, errors] = ['', '']
  bash.stdout.on('data', (data) => {
    output += String(data)
  })
  bash.stderr.on('data', (data) => {
    errors += String(data)
  })
  const giveUp = new Promise((resolve) => setTimeout(resolve, 270_000).unref())
  const logs = () =>
    ['server.log', 'restored.log']
      .map((name) => join(folder, name))
      .filter(existsSync)
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
  try {
    const [code] = await Promise.race([once(bash, 'close'), giveUp.then(() => ['not ended'])])
    expect(code, `${output}\n${errors}\n${logs()}`).toBe(0)
    const [, doctor, , ready, before, after, rotated, certificates, watched] = output
      .split(SEPARATOR)
      .map((text) => text.trim())
    expect(doctor).toMatch(/^problems: 0, /m)
    expect(ready).toBe('{"status":"ready"}')
    expect(JSON.parse(before ?? '')).toMatchObject({ intact: true })
    expect(after).toBe(before)
    expect(rotated).toMatch(/"action":"apiKey.revoke".*"action":"apiKey.create"/)
    const ends = (certificates ?? '').split('\n').map((line) => Date.parse(line.replace('notAfter=', '')))
    expect(Math.round(((ends[1] ?? 0) - (ends[0] ?? 0)) / 86_400_000)).toBe(60)
    expect(watched).toMatch(/^isthmus_operations_open\{state="queued"\} 0$/m)
    expect(watched).toMatch(/^isthmus_tls_certificate_expiry_timestamp_seconds\{source="given"\}/m)
    // No log has a key.
    expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toMatch(/isthmus_[0-9a-z]+_/)
  } finally {
    kill(-(bash.pid ?? 0))
    for (const data of ['data', 'restored']) {
      const file = join(folder, data, 'database', 'engine.pid')
      if (existsSync(file)) kill(Number.parseInt(readFileSync(file, 'utf8'), 10))
    }
    rmSync(folder, { recursive: true, force: true })
  }
})
