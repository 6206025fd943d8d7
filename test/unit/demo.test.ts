import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIdSource, systemClock, systemRandom } from '../../src/base/index.ts'
import { DEMO_OPTIONS, readFlags } from '../../src/config/index.ts'
import { expectationOf, misplaced } from '../../src/demo/expectations.ts'
import { DemoFolder } from '../../src/demo/folder.ts'
import { type GroupRow, renderLine, renderTable } from '../../src/demo/table.ts'

const row: GroupRow = {
  name: 'gateways',
  devices: 100,
  cwmp: 60,
  usp: 40,
  states: { MIGRATED: 40, PREPARING: 10, QUEUED: 50, CANCELLED: 0 },
  ratePerMinute: 12.34,
  failures: [{ reason: 'neverOnboards', count: 2 }],
}

describe('the demo table', () => {
  it('shows each group, its states in the order a device passes them, a bar and the failures', () => {
    const text = renderTable([row], 100).join('\n')
    expect(text).toMatch(/gateways\s+100\s+60\s+40\s+12\.3/)
    expect(text.indexOf('QUEUED')).toBeLessThan(text.indexOf('PREPARING'))
    expect(text.indexOf('PREPARING')).toBeLessThan(text.indexOf('MIGRATED'))
    expect(text).not.toContain('CANCELLED')
    expect(text).toMatch(/2 x neverOnboards/)
    expect(renderTable([row], 20).every((line) => line.length <= 20)).toBe(true)
    expect(renderLine([row])).toBe('gateways: 100 devices, cwmp 60, usp 40 [QUEUED 50, PREPARING 10, MIGRATED 40]')
  })
})

it('the demo table shows the whole of what comes next, on as many lines as it takes', () => {
  const next = 'resolve the conflicts of 12 devices, then retry them (plan is finished)'
  const lines = renderTable([{ ...row, next }], 40)
  expect(lines.every((line) => line.length <= 40)).toBe(true)
  expect(lines.slice(-3).join(' ').replaceAll(/\s+/g, ' ').trim()).toBe(`next: ${next}`)
})

describe('where devices should be', () => {
  it('is MIGRATED for a sound dual-stack device, back on CWMP for one that can never make it', () => {
    expect(expectationOf({ deviceId: 'a', kind: 'dualStack', faults: ['slow'] })).toEqual({
      states: ['MIGRATED'],
      owner: 'usp',
    })
    expect(expectationOf({ deviceId: 'a', kind: 'dualStack', faults: ['neverOnboards'] }).owner).toBe('cwmp')
    expect(expectationOf({ deviceId: 'a', kind: 'tr181NoAgent', family: 'stb', faults: [] }).states).toEqual(['none'])
  })

  it('names each device that is elsewhere', () => {
    const cpes = ['a', 'b', 'c', 'd'].map((deviceId) => ({ deviceId, kind: 'dualStack', faults: [] }))
    const devices = new Map([
      ['a', { owner: 'usp', state: 'MIGRATED' }],
      ['b', { owner: 'cwmp', state: 'MIGRATED' }],
      ['c', { owner: 'usp', state: 'DUAL' }],
    ])
    expect(misplaced(cpes, devices)).toEqual([
      'b (dualStack): owner is cwmp, should be usp',
      'c (dualStack): is DUAL, should be MIGRATED',
      'd (dualStack): the server does not know it',
    ])
  })
})

describe('the folder of a demo', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-demo-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))
  const newId = createIdSource(systemClock, systemRandom)

  it('keeps the number of devices, and refuses another fleet', () => {
    expect(new DemoFolder(dir).devices(40)).toBe(40)
    expect(new DemoFolder(dir).devices(undefined)).toBe(40)
    expect(() => new DemoFolder(dir).devices(41)).toThrow(/holds a demo of 40 devices/)
  })

  it.each(['3', '5001', 'many', '4.5'])('takes no %s devices', (devices) => {
    expect(() => readFlags(DEMO_OPTIONS, { devices })).toThrow(/--devices takes a whole number from 4 to 4990/)
  })

  it('has 200 devices by default', () => expect(new DemoFolder(dir).devices(undefined)).toBe(200))

  it('has one key, that nobody else reads', () => {
    const key = new DemoFolder(dir).key(systemRandom, newId)
    expect(key).toMatch(/^isthmus_[0-9a-z]{10,40}_[\w-]{20,64}$/)
    expect(new DemoFolder(dir).key(systemRandom, newId)).toBe(key)
    expect(statSync(join(dir, 'demo.key')).mode & 0o077).toBe(0)
  })

  it('waits for the processes of a demo that was cut off', async () => {
    const said: string[] = []
    const cut = new DemoFolder(dir)
    cut.runs(2_000_000_000)
    await new DemoFolder(dir).take((line) => said.push(line))
    expect(said).toEqual([])
    const { spawn } = await import('node:child_process')
    // It ends with its standard input.
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    const exit = once(child, 'exit')
    cut.runs(child.pid)
    await new DemoFolder(dir).take((line) => {
      said.push(line)
      child.stdin.end()
    })
    expect(said).toEqual([expect.stringContaining('waiting')])
    expect(await exit).toEqual([0, null])
  })
})
