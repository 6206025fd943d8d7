import { expect, inject, it } from 'vitest'
import { deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface Member {
  deviceId: string
  state: string
  waiting?: string
}

it('each member that waits shows for what, and lists filter by it: place, rate, a paused plan, offline', async () => {
  const { store, call, stop } = await startServerWithStore(inject('mongodbUri'))
  try {
    const DAY = 86_400_000
    const ids = await Promise.all(
      ['1', '2', '3', '4'].map(async (serial) => {
        const identity = { oui: '0C96BF', productClass: 'CPE', serial }
        const id = deviceIdOf(identity)
        const now = Date.now()
        const lastInformAt = serial === '4' ? now - 2 * DAY : now
        await store.devices.commit({
          deviceId: id,
          create: {
            ...newDevice(id, identity, 'cwmp', now),
            manufacturer: 'Acme',
            root: 'Device.',
            cwmp: { lastInformAt, events: [], version: '1.4', informIntervalS: 3600, discoveredFor: '1.0' },
          },
        })
        const at = { type: 'string', source: 'cwmp', collectedAt: now } as const
        const parameters = [{ path: 'Device.USPAgent.EndpointID', value: `os::${id}`, ...at }]
        await store.devices.commit({ deviceId: id, parameters })
        return id
      }),
    )
    const { body: group } = await call<{ id: string }>('POST', '/groups', { name: 'g', selector: 'manufacturer==Acme' })
    const settings = { maxInFlight: 1, startsPerMinute: 0 }
    const { body: plan } = await call<{ id: string }>('POST', '/plans', { name: 'p', groupId: group.id, settings })
    const waiting = async (reason: string) => {
      const found = await call<{ items: Member[] }>('GET', `/plans/${plan.id}/members?waiting=${reason}`)
      for (const member of found.body.items) expect(member.waiting).toBe(reason)
      return found.body.items.map(({ deviceId }) => deviceId)
    }
    const status = async () => (await call<{ waiting: Record<string, number> }>('GET', `/plans/${plan.id}/status`)).body
    const act = (action: string) => call('POST', `/plans/${plan.id}/actions/${action}`)

    await act('start')
    // One is under way, two wait for its place, and one is away.
    await until(async () => (await waiting('place')).join() === ids.slice(1, 3).join())
    await until(async () => (await waiting('offline')).includes(ids[3]!))
    expect((await status()).waiting).toMatchObject({ place: 2 })
    expect(await waiting('rate')).toEqual([])
    expect(await waiting('paused')).toEqual([])

    await call('PATCH', `/plans/${plan.id}`, { settings: { maxInFlight: 10, startsPerMinute: 1 } })
    await until(async () => (await waiting('rate')).length > 0)
    expect(await waiting('place')).toEqual([])

    await act('pause')
    // A start that was under way at the pause may still take one of them, between any two reads.
    await until(async () => {
      const left = await waiting('paused')
      const read = await Promise.all(left.map((id) => call<Member>('GET', `/plans/${plan.id}/members/${id}`)))
      const paused = read.filter(({ body }) => body.state === 'QUEUED' && body.waiting === 'paused')
      return left.length > 0 && paused.length === left.length && (await status()).waiting.paused === left.length
    })
    expect(await waiting('rate')).toEqual([])
    expect((await call('GET', `/plans/${plan.id}/members?waiting=nothing`)).status).toBe(400)
  } finally {
    await stop()
  }
})
