import { beforeEach, describe, expect, it } from 'vitest'
import {
  bindToCwmpRecord,
  cwmpRecordOf,
  type Device,
  deviceIdOf,
  newDevice,
  type RouterIdentity,
} from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { type DeviceRoom, deviceStore } from '../../support/memory-device-store.ts'

const stated: RouterIdentity = {
  oui: 'E48D8C',
  productClass: 'RBD52G-5HacD2HnD',
  serial: 'B8 0+9^1',
  endpointId: 'os::E48D8C-B8%200%2B9%5E1',
}

let room: DeviceRoom
let devices: ReturnType<typeof deviceStore>
beforeEach(() => {
  room = { devices: new Map(), parameters: new Map() }
  devices = deviceStore(room, () => undefined, createManualClock())
})

const put = async (identity: { oui: string; productClass: string; serial?: string }, more: Partial<Device> = {}) => {
  const whole = { serial: stated.serial, ...identity }
  const id = deviceIdOf(whole)
  const cwmp = { lastInformAt: 1, events: [], version: '1.0' }
  await devices.commit({ deviceId: id, create: { ...newDevice(id, whole, 'cwmp', 1), cwmp, ...more } })
  return id
}
const bindingOf = async (id: Awaited<ReturnType<typeof put>>) => (await devices.get(id))?.binding

describe('the CWMP record of a router behind a bridge', () => {
  it.each(['hAP ac^2', 'hAP+ac+2', 'RBD52G-5HacD2HnD', ''])(
    'is bound to its Agent, as product class %j',
    async (name) => {
      const id = await put({ oui: 'E48D8C', productClass: name })
      await bindToCwmpRecord(stated, devices, 5)
      expect(await bindingOf(id)).toEqual({ endpointId: stated.endpointId, proof: 'bridge', at: 5 })
      await bindToCwmpRecord(stated, devices, 6)
      expect(await bindingOf(id)).toMatchObject({ at: 5 })
    },
  )

  it('may have another OUI of MikroTik; of several, the one with the same OUI is meant', async () => {
    const other = await put({ oui: '48A98A', productClass: 'hAP' })
    expect(await cwmpRecordOf(stated, devices)).toMatchObject({ id: other })
    await put({ oui: 'D401C3', productClass: 'hAP' })
    expect(await cwmpRecordOf(stated, devices)).toBe('several')
    await bindToCwmpRecord(stated, devices, 5)
    expect(await bindingOf(other)).toBeUndefined()
    const same = await put({ oui: 'E48D8C', productClass: 'hAP' })
    expect(await cwmpRecordOf(stated, devices)).toMatchObject({ id: same })
  })

  it('is none of another maker, of another serial number, or without an Inform', async () => {
    await put({ oui: '00256D', productClass: 'Acme' })
    await put({ oui: 'E48D8C', productClass: 'hAP', serial: 'other' })
    const { cwmp: _cwmp, ...record } = newDevice(
      deviceIdOf({ ...stated, oui: '48A98A' }),
      { ...stated, oui: '48A98A' },
      'usp',
      1,
    )
    await devices.commit({ deviceId: record.id, create: record })
    expect(await cwmpRecordOf(stated, devices)).toBeUndefined()
    await bindToCwmpRecord(stated, devices, 5)
    for (const device of room.devices.values()) expect(device.binding).toBeUndefined()
  })

  it('keeps the binding of an operator, and one that another record has', async () => {
    const decided = { endpointId: 'os::E48D8C-other', proof: 'operator', at: 1 } as Device['binding'] & object
    const id = await put({ oui: 'E48D8C', productClass: 'hAP' }, { binding: decided })
    await bindToCwmpRecord(stated, devices, 5)
    expect(await bindingOf(id)).toEqual(decided)
  })
})
