import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type MappedWorld, type ShownOperation, startMappedWorld } from '../support/mapped-world.ts'
import { until } from '../support/until.ts'

interface Shown {
  id: string
  wan?: { state?: string; pppUser?: string; ipAddress?: string; sources?: Record<string, string> }
  wifi?: { ssids?: string[] }
  system?: { upSince?: string; uptimeS?: number }
}

let home: MappedWorld
beforeAll(async () => {
  home = await startMappedWorld(inject('mongodbUri'))
  await home.discovered()
})
afterAll(() => home?.stop())

const device = async () => {
  const { body } = await home.world.call<Shown>('GET', `/devices/${encodeURIComponent(home.deviceId)}`)
  return body
}
const list = async (query: Record<string, string>) => {
  const { body } = await home.world.call<{ items: Shown[] }>('GET', `/devices?${new URLSearchParams(query)}`)
  return body.items.map(({ id }) => id)
}

describe('the live facts of a TR-098 device', () => {
  it('are in its record after the discovery, and find it', async () => {
    await until(async () => (await device()).wifi?.ssids !== undefined)
    const { wan, wifi, system } = await device()
    expect(system?.uptimeS).toBeGreaterThanOrEqual(0)
    const [ssid = ''] = wifi?.ssids ?? []
    expect(ssid).not.toBe('')
    expect(Object.values(wan?.sources ?? {}).every((path) => path.startsWith('Device.'))).toBe(true)
    expect(await list({ q: ssid.slice(0, 3).toUpperCase() })).toEqual([home.deviceId])
    expect(await list({ q: 'nothing that there is' })).toEqual([])
    expect(await list({ q: ssid, filter: `wifi.ssids=="${ssid}"`, sort: '-system.upSince' })).toEqual([home.deviceId])
  })

  it('are read on demand by an operation, and follow in its commit', async () => {
    const path = `/devices/${encodeURIComponent(home.deviceId)}/refresh?wait=20s`
    const { status, body } = await home.world.call<ShownOperation>('POST', path, { groups: ['system'] })
    expect(status).toBe(200)
    expect(body).toMatchObject({ state: 'done' })
    expect(body.result?.results.map((result) => result.path)).toContain('Device.DeviceInfo.UpTime')
    const unknown = await home.world.call('POST', '/devices/0C96BF-None-1/refresh', {})
    expect(unknown.status).toBe(404)
  })

  it('count in the row of its model', async () => {
    const { body } = await home.world.call<{ items: { root: string; mapped: number; parameters: number }[] }>(
      'GET',
      '/models',
    )
    expect(body.items).toMatchObject([{ root: 'InternetGatewayDevice.' }])
    expect(body.items[0]?.mapped).toBeGreaterThan(20)
  })
})
