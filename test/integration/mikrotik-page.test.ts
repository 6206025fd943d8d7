import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createIdSource, systemClock, systemRandom } from '../../src/base/index.ts'
import { ServerProcess } from '../support/server-process.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const blocks = [...readFileSync(join(ROOT, 'docs/mikrotik.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (match) => match[1] ?? '',
)
const SEPARATOR = '=== next block ==='

describe('the walk with emulated MikroTik routers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-mikrotik-'))
  const server = new ServerProcess(mkdtempSync(join(folder, 'server-')), ['--plain-usp', 'false'], {
    env: {
      MONGODB_URI: inject('mongodbUri'),
      ISTHMUS_DATABASE_NAME: `mikrotik_${createIdSource(systemClock, systemRandom)()}`,
    },
  })
  beforeAll(() => server.start(), 180_000)
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('runs as written', async () => {
    writeFileSync(
      join(folder, 'isthmus'),
      `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'dist/src/cli/main.js')} "$@" >>log 2>&1\n`,
      { mode: 0o755 },
    )
    const script = [
      'set -euo pipefail',
      // The script ends with the processes that its blocks leave in the background.
      "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT",
      ...blocks.map((block) => `${block}\necho '${SEPARATOR}'`),
    ].join('\n')
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      KEY: server.key,
      SERVER: `http://127.0.0.1:${server.ports.apiPort}`,
      ACS: `http://127.0.0.1:${server.ports.cwmpPort}/`,
      SECRET: server.enrolmentSecret,
    }
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, env, maxBuffer: 16 << 20 })
    const outputs = stdout.split(SEPARATOR).map((text) => text.trim())
    const [, head, , devices, threshold, replaced, scripted] = outputs
    expect(head).toBe('address,port,transport,username,password,fingerprint,policy,tags')
    expect(devices).toContain('{"added":3,"changed":0,"unchanged":0}')
    expect(devices).toMatch(/"items":\[\]/)
    expect(devices).toMatch(/"state":"done"[\s\S]*"value":"core-1"/)
    expect(threshold?.match(/"state":"done"/g)).toHaveLength(2)
    expect(replaced).toContain('"changed":3')
    expect(replaced?.match(/"model":/g)).toHaveLength(3)
    expect(scripted).toMatch(/^\{"level":"L3"\}\n# address-list-add\n:if /)
    expect(scripted).toContain('"state":"done"')
    expect(stdout).not.toContain('urn:isthmus:problem')
  })
})
