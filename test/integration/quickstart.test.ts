import { execFile } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../../src/demo/child.ts'
import { ENGINE_CACHE } from '../support/global-setup.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const [start = '', ...walk] = [
  ...readFileSync(join(ROOT, 'docs/quickstart.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g),
].map((match) => match[1] ?? '')
const SEPARATOR = '=== next block ==='

describe('the walk through the API', () => {
  let folder: string
  let demo: Child

  beforeAll(async () => {
    // In a folder of its own, so that nobody's own demo is touched.
    folder = mkdtempSync(join(tmpdir(), 'isthmus-quickstart-'))
    demo = await startChild({
      name: 'demo',
      script: join(ROOT, 'dist/src/cli/main.js'),
      args: ['demo', ...start.trim().split(' ').slice(4)],
      env: { ISTHMUS_ENGINE_CACHE: ENGINE_CACHE },
      readyTimeoutMs: 120_000,
      logFd: openSync(join(folder, 'demo.out'), 'a'),
      cwd: folder,
    })
  })
  afterAll(async () => {
    await demo?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('runs as written', async () => {
    const script = ['set -euo pipefail', ...walk.map((block) => `${block}\necho '${SEPARATOR}'`)].join('\n')
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, maxBuffer: 16 << 20 })
    const outputs = stdout.split(SEPARATOR).map((text) => text.trim())
    const [, newest, filtered, device, , power, user, keys, hosts, wan, done, migration, mine, happened] = outputs
    for (const place of ['X_GponInterafceConfig', 'X_ZTE-COM_WANPONInterfaceConfig', 'X_FH_GponInterfaceConfig'])
      expect(power).toMatch(new RegExp(`Interface\\.1\\.OpticalSignalLevel = -\\d+ <- .*\\.${place}\\.RXPower = `))
    expect(user?.match(/^Device\.PPP\.Interface\.1\.Username = \w+@fibra\.example <- /gm)).toHaveLength(3)
    expect(user).toMatch(/"pppUser":"\w+@fibra\.example"/)
    expect(keys?.match(/^Device\.WiFi\.SSID\.1\.SSID = \S+ <- /gm)).toHaveLength(3)
    expect(keys?.match(/"state":"done"/g)).toHaveLength(3)
    expect(keys).not.toContain('a-new-key-1')
    expect(hosts?.match(/^Device\.Hosts\.Host\.1\.HostName = \S+ /gm)).toHaveLength(3)
    expect(wan?.match(/^Device\.PPP\.Interface\.1\.ConnectionStatus = Connected /gm)).toHaveLength(3)
    expect(wan).toContain('"lastError":"ERROR_AUTHENTICATION_FAILURE"')
    expect(newest).toMatch(/"owner":/)
    expect(filtered).toMatch(/Northbridge|"softwareVersion":"1\.10/)
    expect(device).toContain('Device.WiFi.SSID.1.SSID')
    expect(done?.match(/"state":"done"/g)).toHaveLength(2)
    expect(done).toContain('urn:isthmus:problem:invalid')
    expect(migration).toMatch(/"states":\{/)
    expect(mine).toContain('"startsPerMinute":30')
    expect(happened).toMatch(/isthmus_usp_links \d+/)
    // Only what is said to be refused is.
    const refused = outputs.filter((text) => text.includes('urn:isthmus:problem'))
    expect(refused).toEqual([done])
  })
})
