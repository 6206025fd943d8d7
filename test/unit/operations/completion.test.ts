import { describe, expect, it } from 'vitest'
import type { Completion, Device, OperationRequest, Protocol } from '../../../src/domain/index.ts'
import { DEFAULT_LIMITS } from '../../../src/operations/limits.ts'
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

describe('a boot of which an Agent says what it was', () => {
  type Said = Partial<Completion> & { own?: true }
  const usp = { protocol: 'usp' } as const
  const reboot: OperationRequest = { verb: 'reboot' }
  const reset: OperationRequest = { verb: 'operate', command: 'Device.FactoryReset()', input: {} }
  const rows: [OperationRequest, Said, string][] = [
    [reboot, {}, 'done'],
    [reboot, { cause: '' }, 'done'],
    [reboot, { cause: 'RemoteReboot' }, 'done'],
    [reboot, { cause: 'LocalReboot' }, 'done'],
    [reboot, { cause: 'PowerOn' }, 'done'],
    [reboot, { cause: 'LocalReboot', own: true }, 'done'],
    [reboot, { cause: 'RemoteReboot', commandKey: 'other' }, 'sent'],
    [reboot, { commandKey: 'other' }, 'sent'],
    [reboot, { cause: 'LocalFactoryReset', bootstrap: true }, 'sent'],
    [{ verb: 'operate', command: 'Device.Reboot()', input: {} }, { commandKey: 'other' }, 'sent'],
    [reset, {}, 'done'],
    [reset, { cause: 'PowerOn' }, 'done'],
    [reset, { cause: 'RemoteFactoryReset', bootstrap: true }, 'done'],
    [reset, { cause: 'LocalFactoryReset', bootstrap: true }, 'done'],
    [reset, { cause: 'FactoryReset', bootstrap: true, commandKey: 'other' }, 'done'],
    [reset, { cause: 'LocalReboot', own: true }, 'done'],
    [reset, { cause: 'LocalReboot' }, 'sent'],
    [reset, { cause: 'RemoteReboot' }, 'sent'],
    [reset, { commandKey: 'other' }, 'sent'],
    [{ verb: 'factoryReset' }, { cause: 'LocalReboot' }, 'sent'],
    [download, { cause: 'LocalReboot', commandKey: 'other', softwareVersion: '2' }, 'done'],
  ]
  it.each(rows)('%j by %j: %s', async (request, { own, ...said }, expected) => {
    const { world, operation } = await sent(request, 'usp')
    const boot = { ...usp, ...said, ...(own === true ? { commandKey: operation.id } : {}) }
    await report(world, 'boot', boot)
    expect(world.operation(operation.id).state).toBe(expected)
  })

  /** The Agent has rebooted for a reason of its own, and has a new link. */
  async function otherBoot(request: OperationRequest) {
    const { world, operation } = await sent(request, 'usp')
    await noteBoot(world, { cause: 'LocalReboot', commandKey: request.verb === 'reboot' ? 'other' : '' })
    world.clock.advance(1000)
    world.peer.values.set('Device.DeviceInfo.UpTime', '1')
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    await settled()
    return { world, operation }
  }

  async function noteBoot(world: World, said: { cause: string; commandKey: string }): Promise<void> {
    const { deviceId } = world.peer
    const set = {
      'usp.lastBootAt': world.clock.now(),
      'usp.lastBootCause': said.cause,
      'usp.lastBootKey': said.commandKey,
    }
    await world.stores.devices.commit({ deviceId, set })
    await report(world, 'boot', { ...usp, ...said })
  }

  it.each([reboot, { verb: 'factoryReset' } as const])(
    'is not found by record or uptime either: %j',
    async (request) => {
      const { world, operation } = await otherBoot(request)
      await world.room.recovery.endOverdue()
      expect(world.operation(operation.id).state).toBe('sent')
      expect(world.peer.log).not.toContain('get usp')
      // The boot that was asked for follows.
      const cause = request.verb === 'reboot' ? 'RemoteReboot' : 'RemoteFactoryReset'
      await noteBoot(world, { cause, commandKey: operation.id })
      expect(world.operation(operation.id).state).toBe('done')
    },
  )

  it.each([reboot, { verb: 'factoryReset' } as const])(
    'holds the device up for some time only: %j',
    async (request) => {
      const { world, operation } = await otherBoot(request)
      const next = await world.submit(set('Device.X_A', '1'))
      await settled()
      expect(world.operation(next.id).state).toBe('queued')
      world.clock.advance(DEFAULT_LIMITS.afterBootMs + 1000)
      await world.room.recovery.endOverdue()
      expect(world.operation(operation.id)).toMatchObject({
        state: 'failed',
        result: { error: { code: 'outcomeUnknown' } },
      })
      await world.room.recovery.wakeWaiting()
      await settled()
      expect(world.peer.effects).toEqual([request.verb, 'set Device.X_A'])
    },
  )
})
