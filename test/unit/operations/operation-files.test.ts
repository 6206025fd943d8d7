import { describe, expect, it } from 'vitest'
import { createOperationFiles } from '../../../src/operations/index.ts'
import { ACTOR, createWorld } from '../../support/operations-world.ts'

const ROUTER = { manufacturer: 'MikroTik', softwareVersion: '7.18.2', routerPolicy: { level: 'L3' } } as const
const script = { verb: 'script', template: 'identity', parameters: { name: 'core-1' } } as const

function made(device: object = {}) {
  const world = createWorld({ device: { ...ROUTER, ...device } })
  const files = createOperationFiles(world.stores)
  const text = async (id: string) => {
    const file = await files.read(id)
    return file === undefined ? undefined : Buffer.from(file.body).toString()
  }
  return { world, text }
}

describe('the file of an operation', () => {
  it('is there while the operation is sent, and neither before nor after', async () => {
    const { world, text } = made()
    const { id } = await world.submit(script)
    expect(await text(id)).toBeUndefined()
    await world.stores.operations.markSent(id, { at: world.clock.now(), via: 'cwmp', instance: 'a' })
    expect(await text(id)).toBe('# identity\n/system identity set name="core-1"\n')
    await world.stores.operations.markUnknown(id)
    expect(await text(id)).toContain('core-1')
    await world.room.giveUp(id, ACTOR)
    expect(await text(id)).toBeUndefined()
    expect(await text('none')).toBeUndefined()
  })

  it('is gone when the policy of its router was taken back', async () => {
    const { world, text } = made()
    const { id } = await world.submit(script)
    await world.stores.operations.markSent(id, { at: world.clock.now(), via: 'cwmp', instance: 'a' })
    await world.stores.devices.commit({ deviceId: world.device().id, set: { routerPolicy: { level: 'L2' } } })
    expect(await text(id)).toBeUndefined()
  })

  it('is that of the version which the router has when it fetches it', async () => {
    const { world, text } = made({ softwareVersion: '6.49.17' })
    const { id } = await world.submit({ verb: 'script', template: 'ntp-servers', parameters: { servers: '192.0.2.1' } })
    await world.stores.operations.markSent(id, { at: world.clock.now(), via: 'cwmp', instance: 'a' })
    expect(await text(id)).toContain('primary-ntp="192.0.2.1"')
    await world.stores.devices.commit({ deviceId: world.device().id, set: { softwareVersion: '7.18.2' } })
    expect(await text(id)).toContain('servers="192.0.2.1"')
  })

  it('is none for an operation that gives no file', async () => {
    const { world, text } = made()
    const { id } = await world.submit({ verb: 'reboot' })
    await world.stores.operations.markSent(id, { at: world.clock.now(), via: 'cwmp', instance: 'a' })
    expect(await text(id)).toBeUndefined()
  })
})

describe('a script for a router', () => {
  it('needs the policy L3, also where the server itself asks', async () => {
    const { world } = made({ routerPolicy: { level: 'L2' } })
    for (const actor of [ACTOR, { kind: 'planner', id: 'p' } as const])
      await expect(world.submit(script, { actor })).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('is given over CWMP to a MikroTik router alone', async () => {
    await expect(made({ owner: 'usp' }).world.submit(script)).rejects.toThrow(/CWMP does not own this one/)
    await expect(made({ manufacturer: 'Acme' }).world.submit(script)).rejects.toThrow(/for MikroTik routers alone/)
  })

  it('is not begun while the router is moved', async () => {
    const migration = { planId: 'p', state: 'PREPARING', at: 1 } as const
    await expect(made({ migration }).world.submit(script)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('has its secrets sealed while it waits, and masked when it has ended', async () => {
    const { world } = made()
    const parameters = { password: 'a long secret', addresses: '192.0.2.10' }
    const { id } = await world.submit({ verb: 'script', template: 'bridge-account', parameters })
    expect(
      await world.room.preview({
        deviceId: world.device().id,
        actor: ACTOR,
        request: { verb: 'script', template: 'bridge-account', parameters },
      }),
    ).not.toContain('a long')
    await world.room.cancel(id, ACTOR)
    expect(world.operation(id).request).toMatchObject({ parameters: { password: '[secret]' } })
    const masked = { ...parameters, password: '[secret] again' }
    await expect(world.submit({ verb: 'script', template: 'bridge-account', parameters: masked })).rejects.toThrow(
      /stands for a secret/,
    )
  })
})

describe('an upgrade of a router', () => {
  const PLACE = 'https://packages.example.net/'
  const urls = (...names: string[]) => names.map((name) => `${PLACE}${name}-7.19.1-arm64.npk`)

  it('goes by the packages that a bridge reads, before those that the policy names', async () => {
    const world = createWorld({
      device: { ...ROUTER, routerPolicy: { level: 'L3', packages: ['routeros'] } },
      routerPackagePlaces: [PLACE],
    })
    const deviceId = world.device().id
    const at = (path: string, value: string) => ({
      path,
      value,
      type: 'string' as const,
      writable: false,
      source: 'usp' as const,
      collectedAt: 1,
    })
    const table = 'Device.X_MIKROTIK_RouterOS.system-package.'
    await world.stores.devices.commit({
      deviceId,
      parameters: [
        at('Device.DeviceInfo.X_MIKROTIK_ArchName', 'ARM64'),
        at(`${table}1.name`, 'routeros'),
        at(`${table}1.disabled`, 'false'),
        at(`${table}2.name`, 'wifi-qcom'),
        at(`${table}3.name`, 'container'),
        at(`${table}3.available`, 'true'),
        at(`${table}4.name`, 'gps'),
        at(`${table}4.disabled`, 'true'),
      ],
    })
    const upgrade = (...names: string[]) => world.submit({ verb: 'upgrade', packages: urls(...names) })
    await expect(upgrade('routeros', 'tr069-client')).rejects.toMatchObject({ context: { missing: ['wifi-qcom'] } })
    expect(await upgrade('routeros', 'tr069-client', 'wifi-qcom')).toMatchObject({ state: 'queued' })
  })

  it('ends with the boot that shows its version, also with a channel behind it', async () => {
    const world = createWorld({
      device: { ...ROUTER, routerPolicy: { level: 'L3', packages: [] } },
      routerPackagePlaces: [PLACE],
    })
    await world.stores.devices.commit({
      deviceId: world.device().id,
      parameters: [
        {
          path: 'Device.X_MIKROTIK_RouterOS.system-resource.architecture-name',
          value: 'arm64',
          type: 'string',
          writable: false,
          source: 'usp',
          collectedAt: 1,
        },
      ],
    })
    const { id } = await world.submit({ verb: 'upgrade', packages: urls('routeros', 'tr069-client') })
    await world.stores.operations.markSent(id, { at: world.clock.now(), via: 'cwmp', instance: 'a' })
    const completed = { deviceId: world.device().id, protocol: 'cwmp', commandKey: id, at: world.clock.now() } as const
    await world.room.completed({ ...completed, kind: 'transfer', softwareVersion: '7.18.2' })
    expect(world.operation(id).state).toBe('sent')
    await world.room.completed({ ...completed, kind: 'boot', softwareVersion: '7.19.1 (stable)' })
    expect(world.operation(id).state).toBe('done')
  })
})
