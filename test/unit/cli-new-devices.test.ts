import { expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { type NewDeviceLimits, NewDevices } from '../../src/cli/parts/new-devices.ts'
import { createManualClock } from '../support/manual-clock.ts'

function limited(limits: Partial<NewDeviceLimits>, stored = 0) {
  const clock = createManualClock()
  const warnings: string[] = []
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) }
  const devices = { count: async (_selector: undefined, limit: number) => Math.min(stored, limit) }
  const newDevices = new NewDevices({ limits: { perHour: 0, total: 0, ...limits }, devices, clock, log })
  const letIn = async (n: number) => {
    const asked = await Promise.all(Array.from({ length: n }, () => newDevices.mayRegister()))
    return asked.filter((one) => one).length
  }
  return { clock, warnings, letIn }
}

it('lets in so many new devices in an hour, and says once a minute why not more', async () => {
  const { clock, letIn, warnings } = limited({ perHour: 60 })
  expect(await letIn(70)).toBe(60)
  expect(await letIn(5)).toBe(0)
  expect(warnings).toEqual([expect.stringContaining('--max-new-devices-per-hour')])
  clock.advance(60_000)
  expect(await letIn(5)).toBe(1)
  clock.advance(3_600_000)
  expect(await letIn(70)).toBe(60)
})

it('lets in as many as there may be in all, those that are there included', async () => {
  const { letIn, warnings } = limited({ total: 10 }, 7)
  expect(await letIn(5)).toBe(3)
  expect(await letIn(5)).toBe(0)
  expect(warnings).toEqual([expect.stringContaining('--max-devices')])
})

it('lets in all where there is no limit', async () => {
  expect(await limited({}, 1000).letIn(1000)).toBe(1000)
})
