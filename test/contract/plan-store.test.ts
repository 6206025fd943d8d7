import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceSnapshot,
  type DeviceStore,
  deviceIdOf,
  type EventLog,
  type MemberCommit,
  type MemberState,
  newDevice,
  type Plan,
  type PlanMember,
  type PlanStore,
} from '../../src/domain/index.ts'
import { defaultPlanSettings } from '../../src/planner/index.ts'
import { createMemoryStores } from '../support/memory-stores.ts'
import { memberOf } from '../support/plans.ts'
import { testStore } from '../support/store.ts'

interface Stores {
  plans: PlanStore
  devices: DeviceStore
  events: EventLog
  close(): Promise<void>
}

const settings = defaultPlanSettings({
  endpointId: 'proto::isthmus',
  host: 'acs.test',
  port: 8183,
  path: '/usp',
  tls: false,
  periodicNotifIntervalS: 60,
})

function plan(id: string, more: Partial<Plan> = {}): Plan {
  return { id, name: id, groupId: 'g1', state: 'running', settings, revision: 1, createdAt: 1, ...more }
}

function idOf(serial: string): DeviceId {
  return deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial })
}

function member(serial: string, more: Partial<PlanMember> = {}): PlanMember {
  return memberOf(idOf(serial), more)
}

function snapshot(serial: string, more: Partial<DeviceSnapshot> = {}): DeviceSnapshot {
  return {
    deviceId: idOf(serial),
    planId: 'p1',
    at: 1,
    controller: { endpointId: 'proto::isthmus', host: 'acs.test' },
    slept: false,
    trust: { role: false, credential: false },
    created: [],
    ...more,
  }
}

/**
 * The store of plans as the planner relies on it: the one of the server, and the one that stands for it in tests of the
 * planner.
 */
describe.each<[string, () => Promise<Stores>]>([
  ['in memory', async () => ({ ...createMemoryStores(systemClock), close: async () => undefined })],
  ['in the database', () => testStore(inject('mongodbUri'))],
])('plans %s', (_name, open) => {
  let stores: Stores
  let plans: PlanStore
  beforeEach(async () => {
    stores = await open()
    plans = stores.plans
  })
  afterEach(() => stores.close())

  const insert = (...members: PlanMember[]) =>
    Promise.all(members.map((one) => plans.commitMember({ member: one, events: [] })))
  /** Commits the next revision of a stored member, which is free and waits for nothing unless the change states it. */
  const change = async (serial: string, more: Partial<PlanMember>, rest: Partial<MemberCommit> = {}) => {
    const before = await plans.getMember(`p1|${idOf(serial)}`)
    if (before === undefined) throw new Error(`no member ${serial}`)
    const { lease: _lease, waiting: _waiting, ...free } = before
    const after = { ...free, ...more, revision: before.revision + 1 }
    await plans.commitMember({ before, member: after, events: [], ...rest })
    return after
  }
  const device = async (serial: string): Promise<Device> => {
    const identity = { oui: '0C96BF', productClass: 'Gateway', serial }
    const create = newDevice(idOf(serial), identity, 'cwmp', 1)
    await stores.devices.commit({ deviceId: create.id, create })
    return create
  }
  const serials = (found: PlanMember[]) => found.map(({ deviceId }) => deviceId.split('-').at(-1))
  const states = async () => (await plans.counters('p1')).states

  it('are put under the revision that was read, or as new', async () => {
    await plans.putPlan(plan('p1'))
    await expect(plans.putPlan(plan('p1'))).rejects.toMatchObject({ code: 'conflict' })
    await plans.putPlan(plan('p1', { revision: 2, name: 'other' }), 1)
    await expect(plans.putPlan(plan('p1', { revision: 2 }), 1)).rejects.toMatchObject({ code: 'conflict' })
    await expect(plans.putPlan(plan('p2', { revision: 2 }), 1)).rejects.toMatchObject({ code: 'conflict' })
    expect(await plans.getPlan('p1')).toEqual(plan('p1', { revision: 2, name: 'other' }))
    expect(await plans.getPlan('p2')).toBeUndefined()
  })

  it('are listed newest first, by state and group, page by page, deleted ones only when asked for', async () => {
    await plans.putPlan(plan('a'))
    await plans.putPlan(plan('b', { state: 'deleted' }))
    await plans.putPlan(plan('c', { groupId: 'g2' }))
    await plans.putPlan(plan('d', { state: 'draft' }))
    const ids = async (query: Parameters<PlanStore['listPlans']>[0]) =>
      (await plans.listPlans(query)).items.map(({ id }) => id)
    expect(await ids({ limit: 10 })).toEqual(['d', 'c', 'a'])
    expect(await ids({ limit: 10, groupId: 'g1' })).toEqual(['d', 'a'])
    expect(await ids({ limit: 10, states: ['running', 'deleted'] })).toEqual(['c', 'b', 'a'])
    const page = await plans.listPlans({ limit: 2 })
    expect(page.items.map(({ id }) => id)).toEqual(['d', 'c'])
    expect(await plans.listPlans({ limit: 2, ...(page.next === undefined ? {} : { cursor: page.next }) })).toEqual({
      items: [plan('a')],
    })
  })

  it('have members that change under their revision, once each', async () => {
    await insert(member('1'))
    await expect(insert(member('1'))).rejects.toMatchObject({ code: 'conflict' })
    const before = member('1')
    const after = { ...before, state: 'PREPARING' as const, revision: 2 }
    const commits = await Promise.allSettled([
      plans.commitMember({ before, member: after, events: [] }),
      plans.commitMember({ before, member: { ...after, step: 'other' }, events: [] }),
    ])
    expect(commits.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await states()).toEqual({ PREPARING: 1 })
    await expect(
      plans.commitMember({ before: member('2'), member: { ...member('2'), revision: 2 }, events: [] }),
    ).rejects.toMatchObject({ code: 'conflict' })
  })

  it('change member, device, snapshot, counters and feed together', async () => {
    const { id } = await device('1')
    await insert(member('1'))
    await change(
      '1',
      { state: 'PREPARING' },
      {
        events: [{ type: 'member.changed', at: 2, deviceId: id, data: { to: 'PREPARING' } }],
        device: {
          deviceId: id,
          set: { owner: 'usp', migration: { planId: 'p1', state: 'PREPARING', at: 2 } },
          newRevision: true,
          guard: { revision: 1 },
          events: [{ type: 'device.ownerChanged', at: 2, deviceId: id, data: {} }],
        },
        snapshot: snapshot('1'),
        count: { failed: true },
      },
    )
    expect(await stores.devices.get(id)).toMatchObject({
      owner: 'usp',
      revision: 2,
      migration: { planId: 'p1', state: 'PREPARING' },
    })
    expect(await plans.snapshot(id)).toEqual(snapshot('1'))
    expect(await plans.counters('p1')).toMatchObject({ states: { PREPARING: 1 }, attempts: { failed: 1, moved: 0 } })
    expect((await stores.events.ofDevice(id, '', 10)).map(({ type }) => type)).toEqual([
      'member.changed',
      'device.ownerChanged',
    ])
  })

  it.each([
    ['its revision', { revision: 7 }],
    ['its owner', { owner: 'usp' as const }],
    ['the plan that moves it', { migration: { planId: 'other', state: 'QUEUED' as const } }],
    ['the state that it has there', { migration: { planId: 'p1', state: 'PREPARING' as const } }],
  ])('change nothing at all when a guard of the device does not hold: %s', async (_what, guard) => {
    const { id } = await device('1')
    const pointer = { planId: 'p1', state: 'QUEUED' as const, at: 1 }
    await stores.devices.commit({ deviceId: id, set: { migration: pointer } })
    await insert(member('1'))
    const refused = change(
      '1',
      { state: 'PREPARING' },
      {
        events: [{ type: 'member.changed', at: 2, deviceId: id, data: {} }],
        device: { deviceId: id, set: { migration: { ...pointer, state: 'PREPARING' } }, newRevision: true, guard },
        snapshot: snapshot('1'),
        count: { failed: true },
      },
    )
    await expect(refused).rejects.toMatchObject({ code: 'conflict' })
    expect(await plans.getMember(`p1|${id}`)).toEqual(member('1'))
    expect(await stores.devices.get(id)).toMatchObject({ migration: { state: 'QUEUED' }, revision: 1 })
    expect(await plans.snapshot(id)).toBeUndefined()
    expect(await plans.counters('p1')).toMatchObject({ states: { QUEUED: 1 }, attempts: { failed: 0 } })
    expect(await stores.events.ofDevice(id, '', 10)).toEqual([])
  })

  it('refuse a change of a device that has no record', async () => {
    await insert(member('1'))
    const refused = change('1', { state: 'CANCELLED' }, { device: { deviceId: idOf('1'), set: { owner: 'cwmp' } } })
    await expect(refused).rejects.toMatchObject({ code: 'conflict' })
    expect(await states()).toEqual({ QUEUED: 1 })
  })

  it('count states, waits, reasons, silence and moves as a recount does', async () => {
    await insert(
      member('1', { waiting: 'place' }),
      member('2', { waiting: 'offline' }),
      member('3', { state: 'BLOCKED', reason: { code: 'other.plan $1', text: 'a text' } }),
      member('4', { state: 'MIGRATED', silentAt: 5 }),
      member('5', { state: 'RETIRING' }),
      member('6', { state: 'MIGRATED', facts: { alreadyThere: true } }),
    )
    await insert(member('1', { planId: 'p2' }))
    await change('1', { state: 'QUARANTINED', reason: { code: '9001', text: 'refused' } })
    await change('2', { waiting: 'place' })
    await change('5', { state: 'MIGRATED' }, { count: { movedInMinute: 7 } })
    const counted = await plans.counters('p1')
    expect(counted).toEqual({
      states: { QUEUED: 1, BLOCKED: 1, QUARANTINED: 1, MIGRATED: 3 },
      waits: { 'QUEUED|place': 1 },
      reasons: [
        { code: '9001', state: 'QUARANTINED', count: 1, text: 'refused', example: idOf('1') },
        { code: 'other.plan $1', state: 'BLOCKED', count: 1, text: 'a text', example: idOf('3') },
      ],
      attempts: { failed: 0, moved: 1 },
      silent: 1,
      alreadyThere: 1,
      movedPerMinute: { '7': 1 },
    })
    await plans.recount('p1')
    expect({ ...(await plans.counters('p1')), movedPerMinute: {} }).toEqual({ ...counted, movedPerMinute: {} })
    expect((await plans.counters('p3')).states).toEqual({})
  })

  it('are counted right when members change while they are counted again', async () => {
    const names = Array.from({ length: 60 }, (_, i) => String(i))
    await insert(...names.map((name) => member(name, { state: 'MIGRATED' })))
    let over = false
    const counting = (async () => {
      while (!over) await plans.recount('p1')
    })()
    for (const name of names) await change(name, { state: 'CANCELLED', reason: { code: 'left', text: '' } })
    over = true
    await counting
    expect(await plans.counters('p1')).toMatchObject({ states: { CANCELLED: 60 }, reasons: [{ count: 60 }] })
  })

  it('have members that are listed by state, reason, wait and silence, page by page in the order of ids', async () => {
    await insert(
      member('3'),
      member('1', { waiting: 'offline' }),
      member('2', { state: 'FAILED', reason: { code: '9001', text: '' } }),
      member('4', { state: 'MIGRATED', silentAt: 3 }),
      member('1', { planId: 'p2' }),
    )
    const list = async (query: Partial<Parameters<PlanStore['listMembers']>[1]>) =>
      serials((await plans.listMembers('p1', { limit: 10, ...query })).items)
    expect(await list({})).toEqual(['1', '2', '3', '4'])
    expect(await list({ states: ['QUEUED'] })).toEqual(['1', '3'])
    expect(await list({ reason: '9001' })).toEqual(['2'])
    expect(await list({ waiting: 'offline' })).toEqual(['1'])
    expect(await list({ silent: true })).toEqual(['4'])
    const { next = '', items } = await plans.listMembers('p1', { limit: 3 })
    expect([...serials(items), ...(await list({ cursor: next }))]).toEqual(['1', '2', '3', '4'])
    expect((await plans.membersOf(idOf('1'))).map(({ planId }) => planId).sort()).toEqual(['p1', 'p2'])
  })

  it('lease members that are due, the longest due first, to one instance until the lease is over or freed', async () => {
    await insert(member('1', { dueMs: 30 }), member('2', { dueMs: 10 }), member('3', { dueMs: 99 }), member('4'))
    expect(serials(await plans.claimDue('p1', 'a', 50, 100, 1))).toEqual(['2'])
    expect(serials(await plans.claimDue('p1', 'b', 50, 100, 9))).toEqual(['1'])
    expect(await plans.claimDue('p1', 'a', 50, 100, 9)).toEqual([])
    expect(await plans.claimDue('p1', 'a', 150, 100, 9)).toMatchObject([{ dueMs: 99 }])
    expect(serials(await plans.claimDue('p1', 'a', 151, 100, 9))).toEqual(['1', '2'])
    const [id = ''] = [`p1|${idOf('1')}`]
    const leased = await plans.getMember(id)
    await plans.free([id], 'b', 500)
    expect(await plans.getMember(id)).toEqual(leased)
    await plans.free([id], 'a', 500)
    const freed = await plans.getMember(id)
    expect(freed).toMatchObject({ dueMs: 500, revision: (leased?.revision ?? 0) + 1 })
    expect(freed?.lease).toBeUndefined()
  })

  it('have members that are found by state, wait, name and place in the list, none that is leased', async () => {
    await insert(
      member('1', { waiting: 'place' }),
      member('2', { waiting: 'offline' }),
      member('3', { state: 'FAILED' }),
      member('4', { state: 'FAILED' }),
    )
    const find = async (query: Parameters<PlanStore['freeMembers']>[1], limit = 9, at = 0) =>
      serials(await plans.freeMembers('p1', query, at, limit))
    expect(await find({ states: ['QUEUED'] })).toEqual(['1', '2'])
    expect(await find({ states: ['QUEUED'], waiting: 'place' })).toEqual(['1'])
    expect(await find({ states: ['FAILED', 'QUEUED'], waiting: 'offline' })).toEqual(['2'])
    expect(await find({ devices: [idOf('4'), idOf('2'), idOf('9')] })).toEqual(['2', '4'])
    expect(await find({ devices: [idOf('4'), idOf('2')], states: ['FAILED'] })).toEqual(['4'])
    expect(await find({ states: ['FAILED', 'QUEUED'], after: idOf('1') }, 2)).toEqual(['2', '3'])
    expect(await find({ after: idOf('4') })).toEqual([])
    expect(await find({ states: ['QUEUED'] }, 1)).toHaveLength(1)
    await plans.claim(`p1|${idOf('1')}`, 'b', 0, 100)
    await plans.claim(`p1|${idOf('2')}`, 'a', 0, 200)
    expect(await find({ states: ['QUEUED'] })).toEqual([])
    expect(await find({ states: ['QUEUED'] }, 1, 101)).toEqual(['1'])
    expect(await find({ devices: [idOf('1'), idOf('2')] }, 9, 101)).toEqual(['1'])
  })

  it('lease one member to the first caller, and again to its holder', async () => {
    await insert(member('1'))
    const id = `p1|${idOf('1')}`
    expect(await plans.claim(id, 'a', 0, 100)).toMatchObject({ revision: 2, lease: { by: 'a', until: 100 } })
    expect(await plans.getMember(id)).toMatchObject({ revision: 2, lease: { by: 'a', until: 100 } })
    expect(await plans.claim(id, 'b', 100, 100)).toBeUndefined()
    expect(await plans.claim(id, 'a', 50, 100)).toMatchObject({ lease: { until: 150 } })
    expect(await plans.claim(id, 'b', 151, 100)).toMatchObject({ lease: { by: 'b' } })
    expect(await plans.claim('p1|none', 'a', 0, 100)).toBeUndefined()
    const both = await Promise.all(['c', 'd'].map((by) => plans.claim(id, by, 300, 100)))
    expect(both.filter((one) => one !== undefined)).toHaveLength(1)
  })

  it('refuse the change of a member that was leased after it was read', async () => {
    await insert(member('1'))
    await plans.claim(`p1|${idOf('1')}`, 'a', 0, 100)
    const stale = plans.commitMember({ before: member('1'), member: { ...member('1'), revision: 2 }, events: [] })
    await expect(stale).rejects.toMatchObject({ code: 'conflict' })
  })

  it('free a member when it is stored, unless it is stored with a lease', async () => {
    await insert(member('1'))
    const id = `p1|${idOf('1')}`
    await plans.claim(id, 'a', 0, 100)
    await change('1', { step: 'one', lease: { by: 'a', until: 300 } })
    expect(await plans.claim(id, 'b', 200, 100)).toBeUndefined()
    await change('1', { step: 'two' })
    expect(await plans.claim(id, 'b', 200, 100)).toMatchObject({ step: 'two' })
  })

  it('free what instances hold that are not alive: members and rounds', async () => {
    await insert(member('1'), member('2'))
    await plans.claim(`p1|${idOf('1')}`, 'dead', 0, 100)
    await plans.claim(`p1|${idOf('2')}`, 'alive', 0, 100)
    await plans.takeRound('p1', 'dead', 0, 100)
    await plans.takeRound('p2', 'alive', 0, 100)
    await plans.freeLeases(['alive', 'other'])
    expect(await plans.claim(`p1|${idOf('1')}`, 'other', 1, 100)).toMatchObject({ lease: { by: 'other' } })
    expect(await plans.claim(`p1|${idOf('2')}`, 'other', 1, 100)).toBeUndefined()
    expect(await plans.takeRound('p1', 'other', 1, 100)).toEqual({})
    expect(await plans.takeRound('p2', 'other', 1, 100)).toBeUndefined()
  })

  it('leave no round with an instance that was refused it, when instances take and leave it at once', async () => {
    const rounds = async (by: string) => {
      for (let i = 0; i < 60; i++)
        if ((await plans.takeRound('p1', by, 0, 100)) !== undefined) await plans.leaveRound('p1', by)
    }
    await Promise.all(['a', 'b', 'c'].map(rounds))
    expect(await plans.takeRound('p1', 'd', 0, 100)).toEqual({})
  })

  it('give the round of a plan to one instance at a time, with what is left of the start rate', async () => {
    const taken = await Promise.all(['a', 'b', 'c'].map((by) => plans.takeRound('p1', by, 0, 100)))
    expect(taken.filter((round) => round !== undefined)).toEqual([{}])
    const holder = ['a', 'b', 'c'][taken.findIndex((round) => round !== undefined)] ?? ''
    await plans.keepPacing('p1', 'nobody', { tokens: 9, at: 9 })
    await plans.keepPacing('p1', holder, { tokens: 2, at: 1 })
    expect(await plans.takeRound('p1', holder, 50, 100)).toEqual({ pacing: { tokens: 2, at: 1 } })
    await plans.leaveRound('p1', 'nobody')
    expect(await plans.takeRound('p1', 'x', 150, 100)).toBeUndefined()
    expect(await plans.takeRound('p1', 'x', 151, 100)).toEqual({ pacing: { tokens: 2, at: 1 } })
    await plans.leaveRound('p1', 'x')
    expect(await plans.takeRound('p1', 'y', 151, 100)).toEqual({ pacing: { tokens: 2, at: 1 } })
  })

  it('are deleted with the members that hold no device; snapshots stay', async () => {
    const held: MemberState[] = ['PREPARING', 'MIGRATED', 'ROLLING_BACK', 'FAILED', 'STRANDED', 'CONFLICT']
    await plans.putPlan(plan('p1', { state: 'deleted' }))
    await insert(...held.map((state, i) => member(String(i), { state })))
    await insert(member('8', { state: 'ROLLED_BACK' }), member('9', { state: 'CANCELLED' }))
    await change('0', {}, { snapshot: snapshot('0') })
    expect(await plans.deleteReleasedMembers('p1', 1)).toBe(1)
    expect(await plans.deleteReleasedMembers('p1', 100)).toBe(1)
    expect(await plans.deleteReleasedMembers('p1', 100)).toBe(0)
    expect((await plans.listMembers('p1', { limit: 100 })).items.map(({ state }) => state)).toEqual(held)
    await plans.deletePlan('p1')
    expect(await plans.getPlan('p1')).toBeUndefined()
    expect(await plans.snapshot(idOf('0'))).toEqual(snapshot('0'))
  })

  it('name the devices that are waited for, and the plans that have members in a state or silent devices', async () => {
    await insert(
      member('1', { waiting: 'offline' }),
      member('2', { waiting: 'offline', dueMs: 5 }),
      member('3', { waiting: 'place' }),
      member('4', { state: 'UNASSESSED', waiting: 'offline' }),
      member('1', { planId: 'p2', waiting: 'offline' }),
      member('2', { planId: 'p2', state: 'STRANDED' }),
      member('3', { planId: 'p2', state: 'MIGRATED', silentAt: 1 }),
    )
    const awaited = async (batchSize: number) => {
      const found: string[][] = []
      for await (const ids of plans.awaitedDevices('p1', batchSize)) found.push(ids)
      return found
    }
    expect((await awaited(10)).map((ids) => ids.sort())).toEqual([[idOf('1'), idOf('4')]])
    expect((await awaited(1)).map((ids) => ids.length)).toEqual([1, 1])
    expect(await plans.plansWith('STRANDED')).toEqual(['p2'])
    expect(await plans.plansWith('silent')).toEqual(['p2'])
    expect((await plans.plansWith('QUEUED')).sort()).toEqual(['p1', 'p2'])
    expect(await plans.plansWith('FAILED')).toEqual([])
  })

  it('keep one snapshot per device, put whole, until the device is back', async () => {
    await insert(member('1'))
    await change('1', {}, { snapshot: snapshot('1', { interval: '300', slept: true }) })
    await change('1', {}, { snapshot: snapshot('1', { planId: 'p2', created: ['Device.X.1.'] }) })
    expect(await plans.snapshot(idOf('1'))).toEqual(snapshot('1', { planId: 'p2', created: ['Device.X.1.'] }))
    await change('1', { step: 'same' })
    expect(await plans.snapshot(idOf('1'))).toBeDefined()
    await change('1', {}, { snapshot: 'delete' })
    expect(await plans.snapshot(idOf('1'))).toBeUndefined()
  })
})
