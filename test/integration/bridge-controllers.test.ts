import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Contact, OperationRequest } from '../../src/domain/index.ts'
import { startRouter } from '../../src/simulator/index.ts'
import { startBridgeFleet } from '../support/bridge-fleet.ts'
import { rowOf, TestRows } from '../support/test-rows.ts'
import { until } from '../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function world() {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-bridge-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const router = await startRouter({ index: 700, profile: 'v7.18' })
  stops.push(() => router.close())
  const rows = new TestRows([rowOf(router.port, { username: 'admin', password: '' }, 'L2')])
  const controller = async (endpointId = CONTROLLER_ID) => {
    const one = await startController({ endpointId })
    stops.push(() => one.stop())
    return one
  }
  const start = async () => {
    const fleet = await startBridgeFleet(dir, rows)
    stops.push(() => fleet.stop())
    return fleet
  }
  return { router, rows, controller, start }
}

const at = ({ port }: TestController, endpointId = CONTROLLER_ID) => ({
  endpointId,
  host: '127.0.0.1',
  port,
  path: '/usp',
  tls: false,
})

let ids = 0
/** Does an operation, which has to succeed; resolves with its results as text. */
async function run(contact: Contact, request: OperationRequest): Promise<string> {
  const { deviceId } = contact
  const actor = { kind: 'apiKey', id: 'test' } as const
  const operation = { id: `op-${++ids}`, deviceId, request, actor, createdAt: 0, expiresAt: 1, attempts: 0 }
  const context = { beforeSend: async () => undefined, signal: new AbortController().signal, timeoutMs: 60_000 }
  const got = await contact.execute({ ...operation, state: 'queued' }, context)
  expect(got).toMatchObject({ outcome: 'done' })
  return JSON.stringify(got)
}

it('a running Agent takes leave of the old address of its Controller, and serves the new one with all subscriptions', async () => {
  const { router, rows, controller, start } = await world()
  const [before, after] = [await controller(), await controller()]
  rows.controllers = [at(before)]
  const fleet = await start()
  const first = await before.contact()
  await run(first, {
    verb: 'subscribe',
    id: 'names',
    notifType: 'ValueChange',
    paths: ['Device.DeviceInfo.HostName'],
    enable: true,
  })
  rows.controllers = [at(after)]
  rows.changed()
  const second = await after.contact()
  expect(before.controller.linkCount).toBe(0)
  expect(second.deviceId).toBe(first.deviceId)
  expect(await run(second, { verb: 'get', paths: ['Device.LocalAgent.Subscription.'] })).toContain('"names"')
  const [identity] = router.store.table('/system/identity')
  if (identity === undefined) throw new Error('no identity')
  // The first look at a value shows no change.
  await until(() => {
    router.store.set('/system/identity', identity, { name: `tower ${++ids}` })
    return after.commits.some((change) => JSON.stringify(change).includes('tower '))
  })
  expect(fleet.counts).toEqual({ routers: 1, reached: 1, linked: 1 })
})

it('a Controller with another Endpoint ID takes the row of the one before, also over a restart of the bridge', async () => {
  const { rows, controller, start } = await world()
  const other = 'self::other'
  const [before, after] = [await controller(), await controller(other)]
  rows.controllers = [at(before)]
  const fleet = await start()
  await before.contact()
  await fleet.stop()
  rows.controllers = [at(after, other)]
  const again = await start()
  const contact = await after.contact()
  const controllers = await run(contact, { verb: 'get', paths: ['Device.LocalAgent.Controller.'] })
  expect(controllers).toContain(other)
  expect(controllers).not.toContain(CONTROLLER_ID)
  // It has the rights of the one before.
  await run(contact, { verb: 'set', values: [{ path: 'Device.DeviceInfo.HostName', value: 'mine', type: 'string' }] })
  rows.controllers = [at(before)]
  rows.changed()
  await before.contact()
  await again.stop()
})
