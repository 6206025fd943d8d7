import { describe, expect, it } from 'vitest'
import { findParameters } from '../../../src/desk/index.ts'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const id = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' })
const PATHS = [
  'Device.DeviceInfo.UpTime',
  'Device.WiFi.AccessPoint.1.Security.KeyPassphrase',
  'Device.WiFi.SSID.1.Enable',
  'Device.WiFi.SSID.1.SSID',
  'Device.WiFi.SSID.2.SSID',
  'Device.WiFi.SSID.2.Stats.BytesSent',
]

function world() {
  const stores = createMemoryStores(createManualClock())
  for (const path of PATHS)
    stores.inside.parameters.set(`${id}|${path}`, {
      deviceId: id,
      path,
      value: 'v',
      type: 'string',
      source: 'cwmp',
      collectedAt: 0,
    })
  /** All pages together. */
  return async (query: { path?: string; contains?: string }, limit = 100) => {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await findParameters(stores.parameters, id, { ...query, limit, cursor })
      expect(page.items.length).toBeLessThanOrEqual(limit)
      found.push(...page.items.map(({ path }) => path))
      cursor = page.next
    } while (cursor !== undefined)
    return found
  }
}

describe('stored parameters are found', () => {
  it.each([
    [{}, PATHS],
    [{ path: 'Device.WiFi.SSID.2.' }, PATHS.slice(4)],
    [{ path: 'Device.DeviceInfo.UpTime' }, PATHS.slice(0, 1)],
    [{ path: 'Device.WiFi.SSID.*.SSID' }, PATHS.slice(3, 5)],
    [{ path: 'Device.WiFi.SSID.*.' }, PATHS.slice(2)],
    [{ path: 'Device.WiFi.*.1.' }, PATHS.slice(1, 4)],
    [{ contains: 'passphrase' }, PATHS.slice(1, 2)],
    [{ path: 'Device.WiFi.SSID.', contains: 'bytes' }, PATHS.slice(5)],
    [{ path: 'Device.WiFi.SSID.1.SSID', contains: 'x' }, []],
  ])('by %o, page by page', async (query, paths) => {
    expect(await world()(query)).toEqual(paths)
    expect(await world()(query, 1)).toEqual(paths)
  })

  it.each(['Passphrase', 'WiFi.SSID.', 'Device.WiFi.SSID.[Enable==true].SSID', 'Device.A.B+.C', 'Device.Wi*.'])(
    'not by %s: that is no path to look under',
    async (path) => {
      await expect(world()({ path })).rejects.toMatchObject({ code: 'invalid' })
    },
  )
})
