import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { PollSlots } from '../../../src/bridge/changes/poll-slots.ts'
import { RouterWatch } from '../../../src/bridge/changes/router-watch.ts'
import { GuardedRouter, LocalModel, RouterModel, servedBy } from '../../../src/bridge/index.ts'
import { NO_METRICS } from '../../../src/bridge/metrics/bridge-metrics.ts'
import type { ModelChange } from '../../../src/usp/index.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { MemoryInstanceNumbers } from '../../support/memory-instance-numbers.ts'
import { HOME_ROUTER } from '../../support/router-tables.ts'
import { TableRouter } from '../../support/table-router.ts'

const CLIENTS = '/interface/wifi/registration-table'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
const THRESHOLDS = 'Device.LocalAgent.Threshold.'
const ASSOCIATED = 'Device.WiFi.AccessPoint.*.AssociatedDevice.'
const BY = 'Device.LocalAgent.Controller.1.'

async function createWorld(slots = new PollSlots()) {
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
  const watch = new RouterWatch({ router, model, local, metrics: NO_METRICS, slots, clock, log: silentLog })
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
  /** Readings end over several turns of the event loop. */
  const waitFor = () => settled(100)
  return {
    tables,
    router,
    local,
    watch,
    told,
    subscribe,
    pass,
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
    const many = Array.from({ length: 5000 }, (_, i) => `Device.IP.Interface.${i + 100}.Status`).join(',')
    await world.subscribe('ValueChange', many)
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
