import { describe, expect, it } from 'vitest'
import { expectationOf, misplaced } from '../../src/cli/demo/expectations.ts'
import { type GroupRow, renderLine, renderTable } from '../../src/cli/demo/table.ts'

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

describe('where boxes should be', () => {
  it('is MIGRATED for a sound dual-stack box, back on CWMP for one that can never make it', () => {
    expect(expectationOf({ deviceId: 'a', kind: 'dualStack', faults: ['slow'] })).toEqual({
      states: ['MIGRATED'],
      owner: 'usp',
    })
    expect(expectationOf({ deviceId: 'a', kind: 'dualStack', faults: ['neverOnboards'] }).owner).toBe('cwmp')
  })

  it('names each box that is elsewhere', () => {
    const boxes = ['a', 'b', 'c', 'd'].map((deviceId) => ({ deviceId, kind: 'dualStack', faults: [] }))
    const devices = new Map([
      ['a', { owner: 'usp', state: 'MIGRATED' }],
      ['b', { owner: 'cwmp', state: 'MIGRATED' }],
      ['c', { owner: 'usp', state: 'DUAL' }],
    ])
    expect(misplaced(boxes, devices)).toEqual([
      'b (dualStack): owner is cwmp, should be usp',
      'c (dualStack): is DUAL, should be MIGRATED',
      'd (dualStack): the server does not know it',
    ])
  })
})
