import { describe, expect, it } from 'vitest'
import { expectedFacts, TREE_NAMES } from '../../support/device-trees.ts'
import { mappedDevice, viewOf } from '../../support/mapped-tree.ts'
import { startOwnTreeDevice } from '../../support/own-tree-device.ts'

const KEY = 'a new key 2026'
const PATHS = ['Device.Optical.Interface.', 'Device.PPP.Interface.', 'Device.WiFi.SSID.', 'Device.Hosts.Host.']

/** Returns the AccessPoint of an SSID of the device that is on. */
function accessPointOf(view: ReadonlyMap<string, string>, name: string): string {
  const { ssids } = expectedFacts(name)
  const [ssid] = Object.values(ssids).flat()
  const row = [...view].find(([path, value]) => /^Device\.WiFi\.SSID\.\d+\.SSID$/.test(path) && value === ssid)
  return row?.[0].replace(/SSID\.(\d+)\.SSID$/, 'AccessPoint.$1.') ?? ''
}

describe.each(TREE_NAMES)('%s', (name) => {
  it('is read by the same paths as any other device, with one request', async () => {
    const device = await startOwnTreeDevice(name)
    const view = viewOf(mappedDevice(name))
    const paths = PATHS.filter((path) => [...view.keys()].some((known) => known.startsWith(path)))
    const { outcome, results } = await device.run({ verb: 'get', paths })
    expect(outcome).toBe('done')
    const read = new Map(results.map(({ path, value }) => [path, value]))
    const wanted = [...view].filter(([path]) => paths.some((object) => path.startsWith(object)))
    // Times are those of the reading.
    const still = wanted.filter(([path]) => !/(LastChange|LeaseTimeRemaining|Time|Stats\.\w+)$/.test(path))
    expect(still.length).toBeGreaterThan(5)
    for (const [path, value] of still) expect([path, read.get(path)]).toEqual([path, value])
  })

  it('takes a new Wi-Fi key, and has it nowhere else than before', async () => {
    const device = await startOwnTreeDevice(name)
    const path = `${accessPointOf(viewOf(mappedDevice(name)), name)}Security.KeyPassphrase`
    const before = new Map(device.values)
    const result = await device.run({ verb: 'set', values: [{ path, value: KEY }] })
    expect(result).toMatchObject({ outcome: 'done', results: [{ path }] })
    const changed = [...device.values].filter(([own, value]) => before.get(own) !== value)
    expect(changed.length).toBeGreaterThan(0)
    for (const [own, value] of changed) expect([own, value]).toEqual([own, KEY])
    for (const [own] of changed) expect(own).toMatch(/KeyPassphrase$|PreSharedKey$|X_[\w-]+$/)
  })
})
