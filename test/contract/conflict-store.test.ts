import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Conflict, type DeviceId, deviceIdOf, type EndpointId, newDevice } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const IDENTITY = { oui: '0C96BF', productClass: 'Gateway', serial: '1' }
const DEVICE = deviceIdOf(IDENTITY)
const OPENED = (deviceId: DeviceId) => ({ type: 'device.conflict', at: 1, deviceId, data: {} }) as const
const conflict = (id: string, more: Partial<Conflict> = {}): Conflict => ({
  ...{ id, deviceId: DEVICE, kind: 'identityMismatch', endpointId: `os::${id}`, proof: 'triple', details: {}, at: 1 },
  ...more,
})

describe.each(BOTH_STORES)('conflicts %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
    await stores.devices.commit({ deviceId: DEVICE, create: newDevice(DEVICE, IDENTITY, 'cwmp', 1) })
  })
  afterEach(() => stores.close())

  const opened = (id: string, more: Partial<Conflict> = {}) => {
    const made = conflict(id, more)
    return stores.conflicts.open(made, OPENED(made.deviceId))
  }
  const conflictOfDevice = async () => (await stores.devices.get(DEVICE))?.conflict

  it('are opened with the device and an event, once while they are open', async () => {
    expect(await opened('a')).toEqual(conflict('a'))
    expect(await opened('b', { endpointId: 'os::a' })).toEqual(conflict('a'))
    expect(await stores.conflicts.get('a')).toEqual(conflict('a'))
    expect(await stores.conflicts.get('b')).toBeUndefined()
    expect(await conflictOfDevice()).toBe('a')
    expect((await stores.devices.get(DEVICE))?.revision).toBe(2)
    expect(await stores.events.ofDevice(DEVICE, undefined, 9)).toMatchObject([{ type: 'device.conflict' }])
  })

  it('about a device without a record stand by themselves', async () => {
    const missing = deviceIdOf({ ...IDENTITY, serial: '9' })
    await opened('a', { deviceId: missing })
    expect(await stores.conflicts.get('a')).toMatchObject({ deviceId: missing })
    expect(await stores.devices.get(missing)).toBeUndefined()
    expect(await stores.conflicts.resolve('a', 'dismissed', 'me', 2)).toBe(true)
  })

  it('contest an Endpoint ID while they are open', async () => {
    await opened('a')
    expect(await stores.conflicts.isContested('os::a' as EndpointId)).toBe(true)
    expect(await stores.conflicts.isContested('os::b' as EndpointId)).toBe(false)
    await stores.conflicts.resolve('a', 'bound', 'me', 2)
    expect(await stores.conflicts.isContested('os::a' as EndpointId)).toBe(false)
  })

  it('are decided once; the device then names another one that is open, or none', async () => {
    await opened('a')
    await opened('b')
    expect(await conflictOfDevice()).toBe('b')
    expect(await stores.conflicts.resolve('b', 'dismissed', 'me', 2)).toBe(true)
    expect(await conflictOfDevice()).toBe('a')
    expect(await stores.conflicts.resolve('b', 'bound', 'me', 3)).toBe(false)
    expect(await stores.conflicts.resolve('c', 'bound', 'me', 3)).toBe(false)
    expect(await stores.conflicts.resolve('a', 'bound', 'me', 3)).toBe(true)
    expect(await conflictOfDevice()).toBeUndefined()
    const decided = { resolution: 'dismissed', resolvedBy: 'me', resolvedAt: 2 } as const
    expect(await stores.conflicts.get('b')).toEqual(conflict('b', decided))
    const events = (await stores.events.ofDevice(DEVICE, undefined, 9)).slice(2)
    expect(events).toMatchObject([
      { type: 'device.conflictResolved', at: 2, data: { conflict: 'b', resolution: 'dismissed', by: 'me' } },
      { type: 'device.conflictResolved', at: 3, data: { conflict: 'a', resolution: 'bound', by: 'me' } },
    ])
  })

  it('are listed newest first, the open ones or all, page by page', async () => {
    for (const id of ['a', 'b', 'c']) await opened(id)
    await stores.conflicts.resolve('b', 'dismissed', 'me', 2)
    const idsOf = ({ items }: { items: Conflict[] }) => items.map(({ id }) => id)
    expect(idsOf(await stores.conflicts.list({ open: true, limit: 9 }))).toEqual(['c', 'a'])
    expect(idsOf(await stores.conflicts.list({ open: false, limit: 9 }))).toEqual(['b'])
    const first = await stores.conflicts.list({ limit: 2 })
    expect(idsOf(first)).toEqual(['c', 'b'])
    const { next: cursor = '' } = first
    const rest = await stores.conflicts.list({ limit: 2, cursor })
    expect(idsOf(rest)).toEqual(['a'])
    expect(rest.next).toBeUndefined()
  })
})
