import { expect, it } from 'vitest'
import { AppError, silentLog } from '../../../src/base/index.ts'
import { StateReports } from '../../../src/bridge/enrolment/state-reports.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const state = { reachable: true, missingRights: [], revision: 1 }

it('a state that the server refuses keeps back those of no other router', async () => {
  const stored = new Set<string>()
  let calls = 0
  const reports = new StateReports({
    send: async (states) => {
      calls++
      if (states.some(({ routerId }) => routerId === 'r77')) throw new AppError('invalid', 'no such serial number')
      for (const { routerId } of states) stored.add(routerId)
    },
    clock: createManualClock(),
    log: silentLog,
  })
  for (let i = 0; i < 150; i++) reports.add(`r${i}`, state)
  await reports.flush()
  expect(stored.size).toBe(149)
  const before = calls
  await reports.flush()
  expect(calls).toBe(before)
})

it('states are sent again when the server was away', async () => {
  const stored = new Set<string>()
  let isAway = true
  const reports = new StateReports({
    send: async (states) => {
      if (isAway) throw new AppError('unavailable', 'away')
      for (const { routerId } of states) stored.add(routerId)
    },
    clock: createManualClock(),
    log: silentLog,
  })
  for (let i = 0; i < 150; i++) reports.add(`r${i}`, state)
  await reports.flush()
  isAway = false
  await reports.flush()
  expect(stored.size).toBe(150)
})
