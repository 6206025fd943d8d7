import { afterEach, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import { cwmpPresence, type Device, deviceIdOf, newDevice, type Protocol, uspPresence } from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'

const NOW = 1_800_000_000_000
const S = 1000
let store: Store
afterEach(() => store.close())

/** Facts of a device over each protocol; every mix of them is a device in the test. */
const CWMP: (Device['cwmp'] | undefined)[] = [
  undefined,
  ...[0, 7200, 7201, 21_600, 21_601].map((age) => ({ lastInformAt: NOW - age * S, informIntervalS: 3600 })),
  { lastInformAt: NOW - 7200 * S },
  // Intervals below 150 s count as 150 s.
  ...[300, 301, 900, 901].map((age) => ({ lastInformAt: NOW - age * S, informIntervalS: 30 })),
] as (Device['cwmp'] | undefined)[]
const USP = [
  undefined,
  { linked: false },
  { linked: true },
  { linked: true, answering: true },
  { linked: true, answering: false },
] as (Device['usp'] | undefined)[]

it('counts devices by owner and by presence over its protocol, as the record shows it', async () => {
  store = await testStore(inject('mongodbUri'), { clock: { ...systemClock, now: () => NOW } })
  const expected: Record<string, number> = {}
  let serial = 0
  for (const owner of ['cwmp', 'usp'] as Protocol[])
    for (const cwmp of CWMP)
      for (const usp of USP) {
        const identity = { oui: '00256D', productClass: 'Gateway', serial: `C${++serial}` }
        const id = deviceIdOf(identity)
        const device = { ...newDevice(id, identity, owner, 1), ...(cwmp && { cwmp }), ...(usp && { usp }) } as Device
        await store.devices.commit({ deviceId: id, create: device })
        const key = `${owner} ${owner === 'cwmp' ? cwmpPresence(device, NOW) : uspPresence(device)}`
        expected[key] = (expected[key] ?? 0) + 1
      }
  const { devices, operations, plans, members } = await store.census()
  expect(Object.fromEntries(devices.map(({ owner, presence, count }) => [`${owner} ${presence}`, count]))).toEqual(
    expected,
  )
  expect(Object.keys(expected)).toHaveLength(8)
  expect({ operations, plans, members }).toEqual({
    operations: { queued: 0, sent: 0, unknown: 0 },
    plans: {},
    members: {},
  })
})
