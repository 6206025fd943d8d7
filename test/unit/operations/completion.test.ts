import { describe, expect, it } from 'vitest'
import type { Completion, Device, OperationRequest, Protocol } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { createWorld, set, type World } from '../../support/operations-world.ts'

async function sent(request: OperationRequest, owner: Protocol, device: Partial<Device> = {}) {
  const world = createWorld({ device: { owner, softwareVersion: '1', ...device } })
  const operation = await world.submit(request)
  await world.room.contact(world.peer.contact(owner, { lasting: false }))
  world.clock.advance(1000)
  return { world, operation }
}

function report(world: World, kind: Completion['kind'], more: Partial<Completion> = {}): Promise<void> {
  const { deviceId } = world.peer
  return world.room.completed({ deviceId, kind, protocol: 'cwmp', commandKey: '', at: world.clock.now(), ...more })
}

const download: OperationRequest = { verb: 'download', url: 'http://127.0.0.1/2', version: '2' }
const fault = { code: '9010', text: 'file transfer failure', retryable: true }

describe('a completion ends an accepted operation', () => {
  type Row = [string, OperationRequest, Protocol, Completion['kind'], Partial<Completion> & { own?: true }, string]
  const rows: Row[] = [
    ['a reboot by any boot', { verb: 'reboot' }, 'cwmp', 'boot', {}, 'done'],
    ['a reboot by a boot over the other protocol', { verb: 'reboot' }, 'cwmp', 'boot', { protocol: 'usp' }, 'done'],
    ['a reboot not by a boot from before', { verb: 'reboot' }, 'cwmp', 'boot', { at: 1 }, 'sent'],
    ['a reset by a bootstrap', { verb: 'factoryReset' }, 'cwmp', 'boot', { bootstrap: true }, 'done'],
    ['a reset by what the device has lost', { verb: 'factoryReset' }, 'usp', 'reset', { protocol: 'usp' }, 'done'],
    ['a reboot not by that', { verb: 'reboot' }, 'usp', 'reset', { protocol: 'usp' }, 'sent'],
    ['an accepted reset by a plain boot', { verb: 'factoryReset' }, 'cwmp', 'boot', { bootstrap: false }, 'done'],
    ['a download by its TransferComplete', download, 'cwmp', 'transfer', { own: true }, 'done'],
    [
      'a download by a TransferComplete of the version to come',
      download,
      'cwmp',
      'transfer',
      { own: true, softwareVersion: '2' },
      'done',
    ],
    [
      'a download not by a TransferComplete before it runs',
      download,
      'cwmp',
      'transfer',
      { own: true, softwareVersion: '1' },
      'sent',
    ],
    ['a download by a fault', download, 'cwmp', 'transfer', { own: true, fault }, 'failed'],
    ['a download by the version at boot', download, 'cwmp', 'boot', { softwareVersion: '2' }, 'done'],
    ['a download not by another version at boot', download, 'cwmp', 'boot', { softwareVersion: '1' }, 'sent'],
    ['a download not by the key of another', download, 'cwmp', 'transfer', { commandKey: 'other' }, 'sent'],
    [
      'a download over USP not before it runs',
      download,
      'usp',
      'command',
      { own: true, protocol: 'usp', softwareVersion: '1' },
      'sent',
    ],
    ['a download over USP when it failed', download, 'usp', 'command', { own: true, protocol: 'usp', fault }, 'failed'],
    [
      'a download over USP without a version',
      { verb: 'download', url: 'http://127.0.0.1/2' },
      'usp',
      'command',
      { own: true, protocol: 'usp' },
      'done',
    ],
    [
      'a command by its key',
      { verb: 'operate', command: 'Device.X()', input: {} },
      'usp',
      'command',
      { own: true },
      'done',
    ],
    ['a command not by a boot', { verb: 'operate', command: 'Device.X()', input: {} }, 'usp', 'boot', {}, 'sent'],
  ]
  it.each(rows)('%s', async (_name, request, owner, kind, { own, ...more }, expected) => {
    const { world, operation } = await sent(request, owner)
    const completion = own === true ? { ...more, commandKey: operation.id } : more
    await report(world, kind, completion)
    expect(world.operation(operation.id).state).toBe(expected)
    const before = structuredClone(world.operation(operation.id))
    await report(world, kind, completion)
    expect(world.operation(operation.id)).toEqual(before)
  })

  it('ends a download over USP once the record shows the version after the boot', async () => {
    const { world, operation } = await sent(download, 'usp')
    await report(world, 'command', { protocol: 'usp', commandKey: operation.id })
    const at = world.clock.now()
    await world.stores.devices.commit({
      deviceId: world.peer.deviceId,
      set: { 'usp.lastBootAt': at, softwareVersion: '2' },
    })
    await world.room.contact(world.peer.contact('usp', { lasting: false }))
    expect(world.operation(operation.id).state).toBe('done')
  })

  it('ignores keys of operations of another device', async () => {
    const { world, operation } = await sent({ verb: 'reboot' }, 'cwmp')
    const other = `${world.peer.deviceId}9` as typeof world.peer.deviceId
    await report(world, 'command', { commandKey: operation.id, deviceId: other })
    expect(world.operation(operation.id).state).toBe('sent')
  })

  it('may arrive before the answer to the request', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    world.peer.aroundEffect = async (effect) => {
      effect()
      const [operation] = world.stores.inside.operations.values()
      await report(world, 'command', { commandKey: operation?.id ?? '', output: { Result: 'ok' } })
    }
    const operation = await world.submit({ verb: 'operate', command: 'Device.X()', input: {} })
    await world.room.contact(world.peer.contact('usp', { lasting: false }))
    expect(world.operation(operation.id)).toMatchObject({ state: 'done', result: { output: { Result: 'ok' } } })
  })

  it('of a queued operation proves its send: it is not sent again', async () => {
    const world = createWorld()
    const operation = await world.submit(set('Device.X_A', '1'))
    await report(world, 'command', { commandKey: operation.id })
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.peer.effects).toEqual([])
  })
})

describe('a restart that is not reported', () => {
  it('is found by the uptime over the next link', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const first = new AbortController()
    world.room.contact(world.peer.contact('usp', { signal: first.signal })).catch(() => undefined)
    const reset = await world.submit({ verb: 'factoryReset' })
    await settled()
    expect(world.operation(reset.id).state).toBe('sent')
    first.abort()
    world.clock.advance(60_000)
    world.peer.values.set('Device.DeviceInfo.UpTime', '100')
    const second = new AbortController()
    world.room.contact(world.peer.contact('usp', { signal: second.signal })).catch(() => undefined)
    await settled()
    expect(world.operation(reset.id).state).toBe('sent')
    // Its own uptime, and that of the Agent.
    expect(world.peer.log).toEqual(['factoryReset usp', 'get usp', 'get usp'])
    second.abort()
    world.peer.values.set('Device.DeviceInfo.UpTime', '30')
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    await settled()
    expect(world.operation(reset.id).state).toBe('done')
    expect(world.peer.effects).toEqual(['factoryReset'])
  })
})
