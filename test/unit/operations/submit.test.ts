import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { asDeviceId } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { ACTOR, createWorld, set } from '../../support/operations-world.ts'

const A = 'Device.X_A'

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
  return 'accepted'
}

describe('submitting', () => {
  it('is durable and audited when it resolves, and its event follows', async () => {
    const world = createWorld()
    const operation = await world.submit(set(A, '1'))
    await settled()
    const { inside } = world.stores
    expect(inside.operations.get(operation.id)).toMatchObject({ state: 'queued', attempts: 0, actor: ACTOR })
    expect(world.device().work).toEqual({ open: true, seq: 1 })
    expect(inside.audit).toMatchObject([
      { actor: 'apiKey:k1', action: 'operation.set', target: world.peer.deviceId, result: 'ok' },
    ])
    expect(inside.events).toMatchObject([
      { type: 'operation.queued', data: { operationId: operation.id, warnings: [`${A} is not in the model`] } },
    ])
  })

  it('gives the first operation back for a key that was used, and does nothing more', async () => {
    const world = createWorld()
    const first = await world.submit(set(A, '1'), { idempotencyKey: 'k' })
    const again = await world.submit(set(A, '1'), { idempotencyKey: 'k' })
    expect(again.id).toBe(first.id)
    await world.room.contact(world.peer.contact('cwmp'))
    const late = await world.submit(set(A, '1'), { idempotencyKey: 'k' })
    expect(late).toMatchObject({ id: first.id, state: 'done' })
    expect(world.peer.effects.length).toBe(1)
  })

  it('refuses a key that was used for another request, and leaves no trace of it', async () => {
    const world = createWorld()
    const secret = (value: string) => set('Device.WiFi.AccessPoint.1.Security.KeyPassphrase', value)
    await world.submit(secret('correct horse'), { idempotencyKey: 'k' })
    const audited = world.stores.inside.audit.length
    expect(await refusal(world.submit(secret('battery staple'), { idempotencyKey: 'k' }))).toBe('conflict')
    expect(await refusal(world.submit(set(A, '1'), { idempotencyKey: 'k' }))).toBe('conflict')
    await world.submit(secret('correct horse'), { idempotencyKey: 'k' })
    expect(world.stores.inside.audit.length).toBe(audited)
    const planner = { kind: 'planner', id: 'p' } as const
    expect(await refusal(world.submit(set(A, '2'), { idempotencyKey: 'k', actor: planner }))).toBe('accepted')
  })

  it('refuses a used key also when both arrive at the same time', async () => {
    const world = createWorld()
    world.stores.operations.byKey = async () => undefined
    await world.submit(set(A, '1'), { idempotencyKey: 'k' })
    expect(await refusal(world.submit(set(A, '2'), { idempotencyKey: 'k' }))).toBe('conflict')
  })

  it('forgets the secrets of what has ended', async () => {
    const world = createWorld()
    const done = await world.submit(set('Device.WiFi.AccessPoint.1.Security.KeyPassphrase', 'correct horse'))
    const cancelled = await world.submit({ verb: 'download', url: 'http://u:horse@127.0.0.1/f', password: 'horse' })
    await world.room.cancel(cancelled.id, ACTOR)
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.peer.values.get('Device.WiFi.AccessPoint.1.Security.KeyPassphrase')).toBe('correct horse')
    expect(world.operation(done.id).state).toBe('done')
    expect(JSON.stringify([...world.stores.inside.operations.values()])).not.toContain('horse')
  })

  it('refuses an unknown device, an invalid request and a forbidden one, and audits that', async () => {
    const world = createWorld()
    const other = asDeviceId('00256D-Box-2')
    expect(await refusal(world.submit(set(A, '1'), { deviceId: other }))).toBe('notFound')
    expect(await refusal(world.submit(set('Device.DeviceInfo.UpTime', '1')))).toBe('invalid')
    expect(await refusal(world.submit(set(A, '1'), { via: 'usp' }))).toBe('forbidden')
    expect(await refusal(world.submit(set(A, '1'), { idempotencyKey: '' }))).toBe('invalid')
    expect(await refusal(world.submit(set(A, '1'), { expiresInMs: 0 }))).toBe('invalid')
    expect(world.stores.inside.audit.map(({ result, reason }) => [result, reason])).toEqual([
      ['refused', 'Device.DeviceInfo.UpTime is read-only'],
      ['refused', 'writes to this device go over cwmp, its owner: leave `via` out'],
    ])
    expect(world.stores.inside.operations.size).toBe(0)
  })

  it('checks a vendor parameter by its reported type and access', async () => {
    const world = createWorld()
    const reported = { source: 'cwmp', collectedAt: 1, value: '' } as const
    await world.stores.devices.commit({
      deviceId: world.peer.deviceId,
      parameters: [
        { ...reported, path: 'Device.X_ACME_Level', type: 'unsignedInt', writable: true },
        { ...reported, path: 'Device.X_ACME_State', type: 'string', writable: false },
      ],
    })
    expect(await refusal(world.submit(set('Device.X_ACME_Level', 'high')))).toBe('invalid')
    expect(await refusal(world.submit(set('Device.X_ACME_State', 'on')))).toBe('invalid')
    expect(await refusal(world.submit(set('Device.X_ACME_Level', '3')))).toBe('accepted')
    await settled()
    expect(world.stores.inside.events).toMatchObject([{ type: 'operation.queued', data: {} }])
    expect(world.stores.inside.events[0]?.data).not.toHaveProperty('warnings')
  })

  it('accepts any value where the reported one is not in the enumeration of the model', async () => {
    const world = createWorld({ device: { root: 'InternetGatewayDevice.' } })
    const path = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.BeaconType'
    expect(await refusal(world.submit(set(path, 'WPA2')))).toBe('invalid')
    await world.stores.devices.commit({
      deviceId: world.peer.deviceId,
      parameters: [{ path, value: 'WPAandWPA2', type: 'string', source: 'cwmp', collectedAt: 1 }],
    })
    expect(await refusal(world.submit(set(path, 'WPA2')))).toBe('accepted')
  })

  it.each([
    ['InternetGatewayDevice.', 'Device.Reboot()', 'InternetGatewayDevice.Reboot()'],
    ['InternetGatewayDevice.', 'Device.FactoryReset()', 'InternetGatewayDevice.FactoryReset()'],
    ['InternetGatewayDevice.', 'Device.IP.Diagnostics.IPPing()', 'InternetGatewayDevice.IPPingDiagnostics()'],
    ['Device.', 'InternetGatewayDevice.TraceRouteDiagnostics()', 'Device.IP.Diagnostics.TraceRoute()'],
    ['Device.', 'InternetGatewayDevice.Reboot()', 'Device.Reboot()'],
  ] as const)('on a device with the root %s takes %s for %s, and says so', async (root, asked, meant) => {
    const world = createWorld({ device: { root } })
    const request = {
      verb: 'operate',
      command: asked,
      input: /Ping|Trace/.test(asked) ? { Host: 'example.com' } : {},
    } as const
    const operation = await world.submit(request, { idempotencyKey: 'k' })
    expect(operation).toMatchObject({
      request: { ...request, command: meant },
      warnings: [`${asked} is ${meant} on this device`],
    })
    expect((await world.submit(request, { idempotencyKey: 'k' })).id).toBe(operation.id)
    expect(JSON.stringify(world.stores.inside.audit)).toContain(meant)
  })

  it('requires the arguments of a command under either root', async () => {
    const world = createWorld({ device: { root: 'InternetGatewayDevice.' } })
    for (const command of ['Device.IP.Diagnostics.IPPing()', 'InternetGatewayDevice.IPPingDiagnostics()'])
      await expect(world.submit({ verb: 'operate', command, input: {} })).rejects.toThrow(/needs the argument Host$/)
    await expect(
      world.submit({ verb: 'operate', command: 'Device.DSL.Diagnostics.SELTP()', input: {} }),
    ).rejects.toThrow(
      /is no command of TR-098; where the device shows Device\.DSL\.Diagnostics\.SELTP\.DiagnosticsState, write/,
    )
  })

  it('keeps secrets out of the audit log', async () => {
    const world = createWorld()
    await world.submit(set('Device.WiFi.AccessPoint.1.Security.KeyPassphrase', 'correct horse'))
    await world.submit({ verb: 'download', url: 'http://u:horse@127.0.0.1/f', username: 'u', password: 'horse' })
    await world.submit({ verb: 'operate', command: 'Device.X_Login()', input: { Password: 'horse' } })
    expect(JSON.stringify(world.stores.inside.audit)).not.toContain('horse')
  })

  it('bounds the queue of a device', async () => {
    const world = createWorld({ limits: { maxQueuedPerDevice: 2 } })
    await world.submit(set(A, '1'), { idempotencyKey: 'k' })
    await world.submit(set(A, '2'))
    expect(await refusal(world.submit(set(A, '3')))).toBe('rateLimited')
    expect(await refusal(world.submit(set(A, '1'), { idempotencyKey: 'k' }))).toBe('accepted')
  })

  it('bounds it for simultaneous requests, in the order of their arrival', async () => {
    const world = createWorld({ limits: { maxQueuedPerDevice: 3 } })
    const submitted = Array.from({ length: 10 }, (_, i) => refusal(world.submit(set(A, `${i}`))))
    const outcomes = await Promise.all(submitted)
    expect(outcomes).toEqual([...Array(3).fill('accepted'), ...Array(7).fill('rateLimited')])
    expect(world.stores.inside.operations.size).toBe(3)
    // Refused requests take no place in the queue.
    expect(await refusal(world.submit(set(A, 'x')))).toBe('rateLimited')
    await world.room.contact(world.peer.contact('cwmp'))
    expect(await refusal(world.submit(set(A, 'y')))).toBe('accepted')
  })

  it('audits the end in the next process when this one dies before', async () => {
    const world = createWorld()
    const { append } = world.stores.audit
    await world.submit(set(A, '1'))
    world.stores.audit.appendSoon = () => new Promise(() => undefined)
    await world.room.contact(world.peer.contact('cwmp'))
    world.stores.audit.appendSoon = append
    world.clock.advance(60_001)
    expect(await world.room.recovery.auditOwed()).toBe(1)
    expect(await world.room.recovery.auditOwed()).toBe(0)
    expect(world.stores.inside.audit.at(-1)).toMatchObject({ action: 'operation.set', after: { state: 'done' } })
  })

  it('audits how it ended', async () => {
    const world = createWorld()
    world.peer.troubles.push('refused')
    await world.submit(set(A, '1'))
    await world.room.contact(world.peer.contact('cwmp'))
    await settled()
    expect(world.stores.inside.audit.map(({ result, reason }) => [result, reason])).toEqual([
      ['ok', undefined],
      ['failed', '9002: internal error'],
    ])
  })
})
