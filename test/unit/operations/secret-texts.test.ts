import { expect, it } from 'vitest'
import { PeerFault } from '../../../src/base/index.ts'
import { type OperationRequest, outcomeError } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { createWorld, set } from '../../support/operations-world.ts'

const WIFI = 'Device.WiFi.AccessPoint.1.Security.'
const SECRET = 'echoSECRETppp'
const password = set('Device.PPP.Interface.1.Password', SECRET)

it.each<[string, OperationRequest, string]>([
  ['a key that is too short', set(`${WIFI}KeyPassphrase`, 'Zx9#kEy'), 'Zx9#kEy'],
  ['a password that is too long', set('Device.PPP.Interface.1.Password', 'S3cret'.repeat(20)), 'S3cret'],
  ['a WEP key that is no hex', set(`${WIFI}WEPKey`, 'wepSECRET!'), 'wepSECRET'],
  ['a key that is no hex', set(`${WIFI}PreSharedKey`, 'notHexSECRET'), 'notHexSECRET'],
  [
    'the value of a new row',
    { verb: 'add', object: 'Device.Users.User.', values: { Password: 'S3cret'.repeat(20) } },
    'S3cret',
  ],
])('a refused secret is in no answer and not in the audit log: %s', async (_name, request, secret) => {
  const world = createWorld()
  const error = await world.submit(request).then(
    () => undefined,
    (refused: unknown) => refused as Error,
  )
  expect(error?.message).toMatch(/\[secret\]/)
  expect(JSON.stringify(error)).not.toContain(secret)
  expect(world.stores.inside.audit).toMatchObject([{ result: 'refused', reason: error?.message }])
  expect(JSON.stringify(world.stores.inside.audit)).not.toContain(secret)
})

it.each([
  ['a fault', new PeerFault(9007, `Invalid value: "${SECRET}"`)],
  ['an error of this server', new Error(`cannot encode ${SECRET}`)],
])('a secret that a device repeats is kept nowhere: %s', async (_name, error) => {
  const world = createWorld()
  world.peer.execute = async (_operation, hooks) => {
    if (error instanceof PeerFault) await hooks.beforeSend()
    throw error
  }
  await expectForgotten(world, await world.submit(password))
})

it('nor one that stands in the answer for a path', async () => {
  const world = createWorld()
  world.peer.execute = async (_operation, hooks) => {
    await hooks.beforeSend()
    const error = outcomeError(9007, `bad value ${SECRET}`)
    return { outcome: 'failed', results: [{ path: 'Device.A', error }], error }
  }
  await expectForgotten(world, await world.submit(password))
})

it('nor one in an end that the device reports later', async () => {
  const world = createWorld()
  const operation = await world.submit(
    { verb: 'operate', command: 'Device.X_Login()', input: { Password: SECRET } },
    {},
  )
  world.peer.execute = async (_operation, hooks) => {
    await hooks.beforeSend()
    return { outcome: 'pending', results: [] }
  }
  await world.room.contact(world.peer.contact('cwmp'))
  await world.room.completed({
    deviceId: world.peer.deviceId,
    protocol: 'cwmp',
    kind: 'command',
    commandKey: operation.id,
    fault: outcomeError(7022, `login with ${SECRET} failed`),
    at: world.clock.now(),
  })
  await expectForgotten(world, operation)
})

/** Ends the operation over a contact. Expects that it failed, and that nothing has its secret but a mask. */
async function expectForgotten(world: ReturnType<typeof createWorld>, { id }: { id: string }): Promise<void> {
  await world.room.contact(world.peer.contact('cwmp'))
  await settled()
  const { operations, events, audit } = world.stores.inside
  expect(operations.get(id)).toMatchObject({
    state: 'failed',
    result: { error: { text: expect.stringContaining('[secret]') } },
  })
  expect(audit.at(-1)?.reason).toContain('[secret]')
  expect(JSON.stringify([[...operations.values()], events, audit])).not.toContain(SECRET)
}
