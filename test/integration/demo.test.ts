import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ENGINE_CACHE } from '../support/global-setup.ts'

const MAIN = join(resolve(import.meta.dirname, '../..'), 'dist/src/cli/main.js')

describe('npm run demo', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-demo-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs the demo; with a signal, sends it as soon as the text is in its output. Answers its exit code and output. */
  async function demo(args: string[], signal?: NodeJS.Signals, at?: string): Promise<{ code: number; output: string }> {
    const child = spawn(process.execPath, [MAIN, 'demo', '--data-dir', folder, ...args], {
      env: { ...process.env, ISTHMUS_ENGINE_CACHE: ENGINE_CACHE },
    })
    let output = ''
    const onData = (data: Buffer) => {
      output += data.toString()
      if (at === undefined || !output.includes(at)) return
      at = undefined
      child.kill(signal)
    }
    child.stdout.on('data', onData)
    child.stderr.on('data', onData)
    const [code] = await once(child, 'close')
    return { code: Number(code), output }
  }

  it('goes on where Ctrl-C or a kill left it, at any moment, and ends with 0 when every device is where it should be', async () => {
    const cuts: [NodeJS.Signals, string][] = [
      ['SIGKILL', 'starting the server'],
      ['SIGINT', 'API key'],
      ['SIGINT', 'of 10 devices registered'],
      ['SIGKILL', 'gateways: 5 devices'],
    ]
    for (const [signal, at] of cuts) {
      const { output } = await demo(['--devices', '8'], signal, at)
      expect(output).toContain(at)
    }
    const { code, output } = await demo(['--once'])
    expect(output).toContain('10 MikroTik routers are devices, by a bridge')
    expect(output).toMatch(/^mikrotik +10 /m)
    expect(output).toMatch(/MIGRATED +4 /)
    expect(output).toContain('every one of 18 devices is where it should be')
    expect(code).toBe(0)
    const other = await demo(['--once', '--devices', '9'])
    expect([other.code, other.output]).toEqual([1, expect.stringContaining('holds a demo of 8 devices')])
  })
})
