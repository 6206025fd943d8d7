import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import { PollSlots } from '../../../src/bridge/changes/poll-slots.ts'
import { RouterWatch } from '../../../src/bridge/changes/router-watch.ts'
import { BridgedModel, GuardedRouter, LocalModel, RouterModel, servedBy } from '../../../src/bridge/index.ts'
import { NO_METRICS } from '../../../src/bridge/metrics/bridge-metrics.ts'
import type { ModelChange } from '../../../src/usp/index.ts'
import { NO_WRITES } from '../../support/bridged-router.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { MemoryInstanceNumbers } from '../../support/memory-instance-numbers.ts'
import { HOME_ROUTER } from '../../support/router-tables.ts'
import { TableRouter } from '../../support/table-router.ts'
import { untilPasses } from '../../support/until.ts'

const CLIENTS = '/interface/wifi/registration-table'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
const THRESHOLDS = 'Device.LocalAgent.Threshold.'
const ASSOCIATED = 'Device.WiFi.AccessPoint.*.AssociatedDevice.'
const BY = 'Device.LocalAgent.Controller.1.'

async function createWorld(slots = new PollSlots(), fraction = 0.5) {
  const random = { ...systemRandom, fraction: () => fraction }
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-watch-'))
  const clock = createManualClock()
  const tables = structuredClone(HOME_ROUTER)
  const router = new TableRouter(tables)
  const local = await LocalModel.open(join(dir, 'local'), {})
  const model = new RouterModel({
    router: new GuardedRouter(router, () => 1),
    numbers: new MemoryInstanceNumbers(),
    clock,
    served: servedBy(() => []),
  })
  const watch = new RouterWatch({ router, model, local, metrics: NO_METRICS, slots, clock, random, log: silentLog })
  const agentModel = new BridgedModel(local, model, NO_WRITES, () => watch.looked())
  const told: ModelChange[] = []
  watch.changes((change) => told.push(change))
  watch.setReached(true)
  const subscribe = (NotifType: string, ReferenceList: string) =>
    local.add([{ table: SUBSCRIPTIONS, values: { Enable: 'true', NotifType, ReferenceList } }], BY)
  /** Moves on by so many seconds, one after the other, as looks are made. */
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      await waitFor()
      clock.advance(1000)
      await waitFor()
    }
  }
  /** Resolves with a request, while time passes by so many milliseconds again and again. */
  const answer = async <T>(request: Promise<T>, ms: number): Promise<T> => {
    let isOpen = true
    const ended = request.finally(() => {
      isOpen = false
    })
    while (isOpen) {
      await settled(2)
      clock.advance(ms)
    }
    return ended
  }
  /** Readings end over several turns of the event loop. */
  const waitFor = () => settled(100)
  return {
    tables,
    router,
    local,
    agentModel,
    watch,
    told,
    subscribe,
    pass,
    answer,
    clock,
    async stop() {
      watch.stop()
      await local.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

describe('changes of a router', () => {
  let world: Awaited<ReturnType<typeof createWorld>>
  beforeEach(async () => {
    world = await createWorld()
  })
  afterEach(() => world.stop())
  const client = () => {
    const [row] = world.tables[CLIENTS] ?? []
    if (row === undefined) throw new Error('the router has no client')
    return row
  }

  it('are not looked for while nobody has subscribed', async () => {
    await world.pass(20)
    expect(world.router.taken()).toEqual([])
  })

  it('are values of the parameters that somebody has subscribed to', async () => {
    await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
    await world.pass(3)
    expect(world.told).toEqual([])
    world.tables[CLIENTS] = [{ ...client(), signal: '-81' }]
    await world.pass(2)
    expect(world.told).toEqual([
      {
        kind: 'value',
        path: 'Device.WiFi.AccessPoint.1.AssociatedDevice.1.SignalStrength',
        value: '-81',
        previous: '-61',
      },
    ])
  })

  it('are rows that come and go, with the events of clients', async () => {
    await world.subscribe('ObjectCreation', ASSOCIATED)
    await world.subscribe('Event', 'Device.WiFi.AccessPoint.*.X_MIKROTIK_ClientLeft!')
    await world.pass(3)
    const [row, { 'mac-address': mac = '' }] = [client(), client()]
    world.tables[CLIENTS] = []
    await world.pass(2)
    world.tables[CLIENTS] = [{ ...row, '.id': '*99' }]
    await world.pass(2)
    const object = 'Device.WiFi.AccessPoint.1.'
    const MACAddress = mac.toUpperCase()
    expect(world.told).toMatchObject([
      { kind: 'deleted', path: `${object}AssociatedDevice.1.` },
      { kind: 'event', path: object, name: 'X_MIKROTIK_ClientLeft!', params: { MACAddress } },
      { kind: 'created', path: `${object}AssociatedDevice.1.` },
      { kind: 'event', path: object, name: 'X_MIKROTIK_ClientJoined!', params: { MACAddress, SignalStrength: '-61' } },
    ])
  })

  it('are noticed from the answer to a subscription on', async () => {
    const values = { Enable: 'true', NotifType: 'ValueChange', ReferenceList: `${ASSOCIATED}*.SignalStrength` }
    await world.answer(world.agentModel.add([{ table: SUBSCRIPTIONS, values }], BY), 0)
    signalIs('-81')
    await world.pass(3)
    expect(world.told).toMatchObject([{ kind: 'value', value: '-81', previous: '-61' }])
  })

  it('are noticed from the answer on also where a look was under way when the subscription came', async () => {
    const [row = ''] = await world.subscribe('ValueChange', 'Device.DeviceInfo.HostName')
    let goOn: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const command = world.router.command.bind(world.router)
    const asked = vi.spyOn(world.router, 'command').mockImplementation(async (...all) => {
      await held
      return command(...all)
    })
    world.clock.advance(1000)
    await untilPasses(() => expect(asked).toHaveBeenCalled())
    const [path, value] = [`${row}ReferenceList`, `${ASSOCIATED}*.SignalStrength`]
    const set = world.agentModel.set([{ path, value }], BY)
    await untilPasses(async () => expect((await world.local.get([path])).get(path)).toBe(value))
    goOn()
    await world.answer(set, 0)
    signalIs('-81')
    await world.pass(3)
    expect(world.told).toMatchObject([{ kind: 'value', value: '-81', previous: '-61' }])
  })

  it('of a router that is not reached, or does not answer, hold no subscription up', async () => {
    const values = { Enable: 'true', NotifType: 'ValueChange', ReferenceList: `${ASSOCIATED}*.SignalStrength` }
    const add = () => world.agentModel.add([{ table: SUBSCRIPTIONS, values }], BY)
    const answered = vi.spyOn(world.router, 'command').mockReturnValue(new Promise(() => undefined))
    await world.answer(add(), 100)
    answered.mockRestore()
    world.watch.setReached(false)
    await add()
  })

  it('trigger a threshold once when a signal falls below it', async () => {
    const [threshold = ''] = await world.local.add(
      [
        {
          table: THRESHOLDS,
          values: {
            Enable: 'true',
            ReferencePath: ASSOCIATED.concat('*.'),
            ThresholdParam: 'SignalStrength',
            ThresholdOperator: 'Fall',
            ThresholdValue: '-75',
          },
        },
      ],
      BY,
    )
    await world.local.put({ [`${threshold}Controller`]: BY.slice(0, -1) })
    await world.pass(3)
    for (const signal of ['-74', '-76', '-80', '-70', '-77']) {
      world.tables[CLIENTS] = [{ ...client(), signal }]
      await world.pass(2)
    }
    const ParamPath = 'Device.WiFi.AccessPoint.1.AssociatedDevice.1.SignalStrength'
    const only = { controller: BY, parameter: ParamPath }
    expect(world.told.filter(({ kind }) => kind === 'event')).toEqual([
      { kind: 'event', path: threshold, name: 'Triggered!', params: { ParamPath, ParamValue: '-76' }, only },
      { kind: 'event', path: threshold, name: 'Triggered!', params: { ParamPath, ParamValue: '-77' }, only },
    ])
  })

  const addThreshold = async (values: Record<string, string>) => {
    const all = { Enable: 'true', ThresholdOperator: 'Fall', ThresholdValue: '-75', ...values }
    const [row = ''] = await world.local.add([{ table: THRESHOLDS, values: all }], BY)
    await world.local.put({ [`${row}Controller`]: BY.slice(0, -1) })
    return row
  }
  const signalIs = (signal: string) => {
    world.tables[CLIENTS] = [{ ...client(), signal }]
  }

  it('are noticed for one Controller whatever another one has written as a path', async () => {
    for (const path of ['UpTime(', '(a+)+$', '[', '\\', '*', 'UpTime{i}', '__proto__'])
      await addThreshold({ ReferencePath: 'Device.DeviceInfo.', ThresholdParam: path })
    const good = await addThreshold({ ReferencePath: `${ASSOCIATED}*.`, ThresholdParam: 'SignalStrength' })
    await world.subscribe('ValueChange', 'Device.(,Device.[[.,Device.\\,Device.WiFi.**.')
    await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
    await world.pass(3)
    signalIs('-80')
    await world.pass(2)
    expect(world.told).toMatchObject([
      { kind: 'value', value: '-80' },
      { kind: 'event', path: good },
    ])
  })

  it('are looked for also while the router tells of changes all the time', async () => {
    await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
    await world.pass(3)
    signalIs('-80')
    for (let i = 0; i < 60; i++) {
      world.watch.soon()
      world.clock.advance(50)
      await settled(20)
    }
    expect(world.told).toMatchObject([{ kind: 'value', value: '-80' }])
  })

  it('of the first references are noticed where there are too many', async () => {
    await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
    const many = (from: number) => Array.from({ length: 500 }, (_, i) => `Device.IP.Interface.${from + i}.Status`)
    for (let from = 100; from < 5100; from += 500) await world.subscribe('ValueChange', many(from).join(','))
    await world.pass(3)
    signalIs('-80')
    await world.pass(2)
    expect(world.told).toMatchObject([{ kind: 'value', value: '-80' }])
  })

  it('cost one command for each menu and look, and none for what nobody wants any more', async () => {
    const [row = ''] = await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
    await world.pass(5)
    world.router.taken()
    await world.pass(3)
    const taken = world.router.taken()
    expect(taken.filter((path) => path === `${CLIENTS}/print`)).toHaveLength(3)
    expect(new Set(taken).size).toBeLessThan(6)
    await world.local.delete([row], BY)
    await world.pass(3)
    world.router.taken()
    await world.pass(20)
    expect(world.router.taken()).toEqual([])
  })
})

it('a router without a place for frequent looks is looked at each ten seconds', async () => {
  const slots = new PollSlots(1)
  const leave = slots.take()
  const world = await createWorld(slots)
  await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
  await world.pass(3)
  world.router.taken()
  await world.pass(20)
  expect(world.router.taken().filter((path) => path === `${CLIENTS}/print`)).toHaveLength(2)
  leave?.()
  await world.pass(12)
  world.router.taken()
  await world.pass(3)
  expect(world.router.taken().filter((path) => path === `${CLIENTS}/print`)).toHaveLength(3)
  await world.stop()
})

it.each([
  [0, 900],
  [1, 1100],
])('routers are looked at with pauses that differ: the share %d makes %d ms', async (fraction, ms) => {
  const world = await createWorld(new PollSlots(), fraction)
  await world.subscribe('ValueChange', `${ASSOCIATED}*.SignalStrength`)
  await world.pass(4)
  world.router.taken()
  for (let i = 0; i < 10; i++) {
    world.clock.advance(ms)
    await settled(100)
  }
  expect(world.router.taken().filter((path) => path === `${CLIENTS}/print`)).toHaveLength(10)
  await world.stop()
})
