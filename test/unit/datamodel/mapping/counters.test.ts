import { expect, it } from 'vitest'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { tr098Router } from '../../../support/tr098-router.ts'

const WLANS = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const at = Date.UTC(2026, 0, 1)
const mapping = compiled()
const counts = (first: string, second: string) => ({
  [`${WLANS}1.TotalBytesSent`]: first,
  [`${WLANS}2.TotalBytesSent`]: second,
})

/** Returns how a router with these counters reads, with the reading before it. */
function read(
  target: string,
  shown: Readonly<Record<string, string>>,
  previous?: { raw: string; value: string; source?: string },
) {
  const values = tr098Router().filter(({ path }) => !(path in shown))
  const changed = Object.entries(shown).map(([path, value]) => ({ path, value }))
  const { device, tree } = mappedDevice([...values, ...changed], mapping)
  const time = { at }
  const before = previous === undefined ? undefined : { ...previous, at: at - 60_000 }
  return device.evaluate(target, tree, before === undefined ? time : { ...time, previous: () => before })?.value
}

it('counts the wraps of a counter from one reading of it to the next', () => {
  const ssid = 'Device.WiFi.SSID.1.Stats.BytesSent'
  const before = { raw: '4294967290', value: '4294967290' }
  expect(read(ssid, counts('100', '0'), before)).toBe('4294967396')
  expect(read(ssid, counts('100', '0'), { ...before, source: `${WLANS}1.TotalBytesSent` })).toBe('4294967396')
  expect(read(ssid, counts('100', '0'), { ...before, source: `${WLANS}2.TotalBytesSent` })).toBe('100')
})

it('adds up counters of several networks, and takes no sum for the reading of one of them', () => {
  const radio = 'Device.WiFi.Radio.1.Stats.BytesSent'
  expect(read(radio, counts('1000', '2000'))).toBe('3000')
  const before = { raw: '1000', value: '3000', source: `${WLANS}1.TotalBytesSent` }
  expect(read(radio, counts('1100', '2100'), before)).toBe('3200')
})
