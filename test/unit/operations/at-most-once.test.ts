import { describe, expect, it } from 'vitest'
import type { OperationRequest, Protocol } from '../../../src/domain/index.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'
import { Mortal } from '../../support/mortal.ts'
import { ACTOR, createRoom, createWorld, set } from '../../support/operations-world.ts'

const TABLE = 'Device.X_T.'
const cases: { name: string; request: OperationRequest; effect: string; over?: Protocol }[] = [
  { name: 'set', request: set('Device.X_A', 'new'), effect: 'set Device.X_A' },
  { name: 'add', request: { verb: 'add', object: TABLE, values: { Name: 'new' } }, effect: 'add' },
  { name: 'delete', request: { verb: 'delete', paths: [`${TABLE}90.`] }, effect: 'delete' },
  { name: 'reboot', request: { verb: 'reboot' }, effect: 'reboot' },
  { name: 'factoryReset', request: { verb: 'factoryReset' }, effect: 'factoryReset' },
  { name: 'download', request: { verb: 'download', url: 'http://127.0.0.1/2', version: '2' }, effect: 'download' },
  { name: 'operate', request: { verb: 'operate', command: 'Device.X_Scan()', input: {} }, effect: 'operate' },
  {
    name: 'subscribe',
    request: { verb: 'subscribe', id: 's', notifType: 'ValueChange', paths: ['Device.X_A'], enable: true },
    effect: 'subscribe',
  },
  {
    name: 'script',
    request: { verb: 'script', template: 'identity', parameters: { name: 'core-1' } },
    effect: 'script',
    over: 'cwmp',
  },
]

const ROUTER = { manufacturer: 'MikroTik', softwareVersion: '7.18.2', routerPolicy: { level: 'L3' } } as const

/** A device whose table already has a row that is equal to the new one. */
function createDevice(deviceId: FakePeer['deviceId']): FakePeer {
  const peer = new FakePeer(deviceId)
  peer.values.set('Device.X_A', 'old')
  peer.values.set(`${TABLE}90.Alias`, 'cpe-90')
  peer.values.set(`${TABLE}90.Name`, 'new')
  return peer
}

/** A process that dies at a call, and the one after it. */
async function live(request: OperationRequest, at: number, when: 'before' | 'after', over: Protocol) {
  const template = createWorld()
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  const { id } = template.device()
  stores.inside.devices.set(id, {
    ...template.device(),
    ...(over === 'cwmp' ? ROUTER : { softwareVersion: '1' }),
    owner: over,
  })
  const peer = createDevice(id)
  const mortal = new Mortal(at, when)
  peer.aroundEffect = (effect) => mortal.call(effect)

  const first = createRoom(mortal.ports(stores), clock, { instance: 'a' })
  first.contact(peer.contact(over)).catch(() => undefined)
  first.submit({ deviceId: id, request, actor: ACTOR }).catch(() => undefined)
  await settled()
  const { calls } = mortal
  const survived = !mortal.dead
  mortal.dead = true

  peer.aroundEffect = async (effect) => effect()
  const second = createRoom(stores, clock, { instance: 'b' })
  await second.start()
  await stores.instances.beat('b', clock.now(), 1e12)
  const tellEnd = () => endOf(request, peer, second, [...stores.inside.operations.values()][0]?.id ?? '', clock.now())
  clock.advance(1000)
  if (peer.effects.length > 0) await tellEnd()
  await settled()
  const device = stores.inside.devices.get(id)
  second.contact(peer.contact(over, { workKnown: device?.work.open ?? false })).catch(() => undefined)
  await settled()
  if (peer.effects.length > 0) await tellEnd()
  // Long enough for all time limits, rests of links and checks.
  for (let i = 0; i < 40; i++) {
    clock.advance(100_000)
    await settled(4)
    await second.recovery.endOverdue()
  }
  // A session ends by itself; the next one finds nothing to do.
  if (over === 'cwmp') second.contact(peer.contact(over, { workKnown: true })).catch(() => undefined)
  await settled()
  const [operation] = stores.inside.operations.values()
  return { calls, survived, peer, operation, device: stores.inside.devices.get(id) }
}

/** The completion of the last effect: a boot, or the end of a command. */
async function endOf(
  request: OperationRequest,
  peer: FakePeer,
  room: ReturnType<typeof createRoom>,
  operationId: string,
  at: number,
): Promise<void> {
  const base = { deviceId: peer.deviceId, protocol: 'usp', commandKey: '', at } as const
  switch (request.verb) {
    case 'operate':
      return room.completed({ ...base, kind: 'command', commandKey: operationId })
    case 'reboot':
      return room.completed({ ...base, kind: 'boot' })
    case 'factoryReset':
      return room.completed({ ...base, kind: 'boot', bootstrap: true })
    case 'script':
      return room.completed({ ...base, protocol: 'cwmp', kind: 'transfer', commandKey: operationId })
    case 'download':
      return room.completed({ ...base, kind: 'boot', softwareVersion: '2' })
  }
}

describe('a process that dies between any two calls', () => {
  for (const when of ['before', 'after'] as const) {
    it.each(cases)(
      `${when} a call of $name: no effect twice, and the truth in the end`,
      async ({ request, effect, over = 'usp' }) => {
        const seen = new Set<string>()
        for (let at = 1; at <= 60; at++) {
          const { survived, peer, operation, device } = await live(request, at, when, over)
          const label = `call ${at}`
          const effects = peer.effects.filter((line) => line.startsWith(effect))
          expect(effects.length, label).toBeLessThanOrEqual(1)
          if (operation === undefined) expect(effects, label).toEqual([])
          else {
            expect(['done', 'failed'], `${label}: ${JSON.stringify(operation)}`).toContain(operation.state)
            if (operation.state === 'done') expect(effects.length, label).toBe(1)
            if (operation.result?.error?.retryable === true) expect(effects, label).toEqual([])
            expect(device?.work.open, label).toBe(false)
            seen.add(`${operation.state} ${operation.result?.error?.code ?? ''}`.trim())
          }
          if (survived) break
          expect(at, 'the operation takes fewer calls than were tried').toBeLessThan(60)
        }
        expect(seen).toContain('done')
      },
    )
  }

  it('recognises the new row of an add whose answer was lost, also beside equal old rows', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    world.peer.values.set(`${TABLE}90.Name`, 'new')
    world.peer.troubles.push('lost')
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    const added = await world.ended(await world.submit({ verb: 'add', object: TABLE, values: { Name: 'new' } }))
    expect(added).toMatchObject({ state: 'done', result: { results: [{ path: TABLE, created: `${TABLE}1.` }] } })
    expect(world.stores.inside.parameters.get(`${world.peer.deviceId}|${TABLE}1.Name`)?.value).toBe('new')
  })
})

describe('a factory reset', () => {
  const requests: OperationRequest[] = [
    { verb: 'factoryReset' },
    { verb: 'operate', command: 'Device.FactoryReset()', input: {} },
  ]
  it.each(requests)('is never sent before the device may return without its credentials: %j', async (request) => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= 30; at++) {
        const template = createWorld({ device: { owner: 'usp' } })
        const { clock, stores, peer } = template
        const mortal = new Mortal(at, when)
        const released: string[] = []
        peer.aroundEffect = (effect) => mortal.call(effect)
        const room = createRoom(mortal.ports(stores), clock, {
          releaseCredential: (id) => mortal.call(() => void released.push(id)),
        })
        room.contact(peer.contact('usp')).catch(() => undefined)
        room.submit({ deviceId: peer.deviceId, request, actor: ACTOR }).catch(() => undefined)
        await settled()
        const [operation] = stores.inside.operations.values()
        const left = peer.effects.length > 0 || (operation !== undefined && operation.state !== 'queued')
        if (left) expect(released, `${when} call ${at}`).toEqual([peer.deviceId])
        if (!mortal.dead) break
      }
    }
  })

  it('of a part of the device leaves the credential', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const released: string[] = []
    const room = createRoom(world.stores, world.clock, { releaseCredential: async (id) => void released.push(id) })
    room.contact(world.peer.contact('usp')).catch(() => undefined)
    const request = { verb: 'operate', command: 'Device.X_ACME.FactoryReset()', input: {} } as const
    await room.submit({ deviceId: world.peer.deviceId, request, actor: ACTOR })
    await settled()
    expect(world.peer.effects).toEqual(['operate'])
    expect(released).toEqual([])
  })
})
