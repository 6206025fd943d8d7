import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { DeviceId, MemberState, Plan, PlanSettings } from '../../src/domain/index.ts'
import { ANN } from '../support/actors.ts'
import { AnsweringDevice } from '../support/answering-device.ts'
import { type PlannerWorld, plannerWorld } from '../support/planner-world.ts'

const CONTROLLERS = 'Device.USPAgent.Controller.'
const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
const DAY = 86_400_000

let world: PlannerWorld
let ids: DeviceId[]
let cpes: Map<DeviceId, AnsweringDevice>
/** Devices that are not in contact over CWMP. */
let away: Set<DeviceId>

beforeEach(async () => {
  world = await plannerWorld(inject('mongodbUri'))
  ids = []
  cpes = new Map()
  away = new Set()
  world.answer = (operation) => cpes.get(operation.deviceId)?.answer(operation)
})
afterEach(() => world.stop())

async function devices(count: number): Promise<DeviceId[]> {
  const made = await world.devices(count)
  for (const id of made) cpes.set(id, new AnsweringDevice(id.split('-').at(-1) ?? ''))
  ids.push(...made)
  return made
}

async function one(): Promise<[DeviceId, AnsweringDevice]> {
  const [id] = await devices(1)
  const cpe = id === undefined ? undefined : cpes.get(id)
  if (id === undefined || cpe === undefined) throw new Error('no device')
  return [id, cpe]
}

const quick: Partial<PlanSettings> = { maxAttempts: 1, parityPaths: [] }
async function started(settings: Partial<PlanSettings> = {}): Promise<Plan> {
  const plan = await world.plan({ ...quick, ...settings })
  await world.planner.act(plan.id, 'start', ANN)
  return plan
}

/** Agents follow their rows; devices that are not away inform. */
async function live(stepMs = 500): Promise<void> {
  for (const [id, cpe] of cpes) {
    const at = world.clock.nowMs
    const linked = cpe.dials && !cpe.absent.usp
    if ((await world.store.devices.get(id)) === undefined) continue
    await world.store.devices.commit({
      deviceId: id,
      set: { 'usp.linked': linked, 'usp.versions': '1.3', ...(linked ? { 'usp.lastSeenAt': at } : {}) },
    })
    if (!away.has(id) && !cpe.absent.cwmp) await world.heard(id)
  }
  world.clock.nowMs += stepMs
}

const stateOf = async (plan: Plan, id: DeviceId) => (await world.planner.member(plan.id, id)).state
const until = (condition: () => Promise<boolean>, stepMs?: number) =>
  world.until(async () => {
    await live(stepMs)
    return condition()
  })
const untilState = (plan: Plan, id: DeviceId, state: MemberState) =>
  until(async () => (await stateOf(plan, id)) === state)
const untilPlan = (plan: Plan, state: Plan['state']) =>
  until(async () => (await world.planner.get(plan.id)).state === state)
const owner = async (id: DeviceId) => (await world.store.devices.get(id))?.owner

/** Expects a device that has nothing of a plan, informs as before, and belongs to CWMP. */
async function isAsBefore(id: DeviceId): Promise<void> {
  const cpe = cpes.get(id)
  expect(cpe?.rows(CONTROLLERS)).toEqual([])
  expect(cpe?.values.get(INTERVAL)).toBe('300')
  expect(await owner(id)).toBe('cwmp')
  expect(await world.store.plans.snapshot(id)).toBeUndefined()
}

describe('a device belongs to one plan at a time', () => {
  it('so a finished plan cannot bring back what another plan has migrated', async () => {
    const [id, cpe] = await one()
    cpe.absent.usp = true
    const a = await started({ awaitUspTimeoutMs: 5000 })
    await untilState(a, id, 'AWAITING_USP')
    cpe.absent.cwmp = true
    await until(async () => (await stateOf(a, id)) === 'STRANDED', 600_000)
    await untilPlan(a, 'finished')
    const b = await started()
    await untilPlan(b, 'finished')
    expect(await world.planner.member(b.id, id)).toMatchObject({
      state: 'BLOCKED',
      reason: { code: 'rollbackPending', text: expect.stringContaining(a.id) },
    })
    // The device comes: A brings it back, then B moves it, and A has no say any more.
    cpe.absent.cwmp = false
    cpe.absent.usp = false
    await untilState(a, id, 'QUARANTINED')
    await isAsBefore(id)
    await world.planner.act(b.id, 'retry', ANN)
    await untilState(b, id, 'MIGRATED')
    const report = await world.planner.forDevices(a.id, 'retry', [id], ANN)
    expect(report.accepted).toBe(1)
    await until(async () => ['BLOCKED', 'MIGRATED'].includes(await stateOf(a, id)))
    expect(cpe.rows(CONTROLLERS)).toHaveLength(1)
    expect(await owner(id)).toBe('usp')
    expect(await stateOf(b, id)).toBe('MIGRATED')
  })

  it('and rows that one plan left are never taken for its own by the next', async () => {
    const [id, cpe] = await one()
    const a = await started()
    await untilState(a, id, 'MIGRATED')
    // The record is deleted while the rows are on the device; the device registers anew.
    const record = await world.store.devices.get(id)
    if (record === undefined) throw new Error('no record')
    const shown = await world.store.parameters.getMany(id, ['Device.USPAgent.EndpointID'])
    const { migration: _migration, binding: _binding, ...anew } = record
    await world.store.devices.delete(id)
    await world.store.events.append([{ type: 'device.deleted', at: world.clock.nowMs, deviceId: id, data: {} }])
    await world.until(async () => (await stateOf(a, id)) === 'CANCELLED')
    await world.store.devices.commit({ deviceId: id, create: { ...anew, owner: 'cwmp', revision: 1 } })
    await world.store.devices.commit({ deviceId: id, parameters: shown })
    cpe.refuses.usp.push('ControllerCode', 'ProvisioningCode', 'PeriodicNotifInterval')
    const b = await started()
    await untilState(b, id, 'QUARANTINED')
    await isAsBefore(id)
  })
})

describe('a conflict', () => {
  it('that is retried brings the device back first, and an abort then cancels a device without our rows', async () => {
    const [first, firstCpe] = await one()
    const [second, secondCpe] = await one()
    const plan = await started({ maxInFlight: 2, awaitUspTimeoutMs: DAY })
    for (const cpe of [firstCpe, secondCpe]) cpe.absent.usp = true
    await until(
      async () => (await stateOf(plan, first)) === 'AWAITING_USP' && (await stateOf(plan, second)) === 'AWAITING_USP',
    )
    for (const id of [first, second]) {
      const at = world.clock.nowMs
      await world.store.conflicts.open(
        {
          id: `c-${id}`,
          deviceId: id,
          kind: 'identityMismatch',
          endpointId: 'os::X',
          proof: 'triple',
          details: {},
          at,
        },
        { type: 'device.conflict', at, deviceId: id, data: {} },
      )
    }
    await untilPlan(plan, 'finished')
    expect(await stateOf(plan, first)).toBe('CONFLICT')
    expect(firstCpe.rows(CONTROLLERS)).toHaveLength(1)
    await world.planner.update(plan.id, { settings: { maxInFlight: 1 } }, undefined, ANN)
    await world.planner.act(plan.id, 'retry', ANN)
    await until(async () => firstCpe.rows(CONTROLLERS).length + secondCpe.rows(CONTROLLERS).length < 2)
    await world.planner.act(plan.id, 'abort', ANN)
    await untilPlan(plan, 'aborted')
    for (const id of [first, second]) {
      expect(['ROLLED_BACK', 'CANCELLED']).toContain(await stateOf(plan, id))
      await isAsBefore(id)
    }
  })
})

describe('a rollback from MIGRATED', () => {
  it('brings back a dormant device: over USP it is made to inform again, over CWMP its rows are deleted', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    expect(cpe.values.get(INTERVAL)).toBe('86400')
    world.clock.nowMs += 3 * 7 * DAY
    const asked = world.asked.length
    await world.planner.act(plan.id, 'rollback', ANN)
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
    await untilPlan(plan, 'aborted')
    const sent = world.asked.slice(asked).map(({ via, request }) => `${via} ${request.verb} ${JSON.stringify(request)}`)
    const woken = sent.findIndex((line) => line.startsWith('usp set') && line.includes(INTERVAL))
    const disabled = sent.findIndex((line) => line.startsWith('cwmp set') && line.includes('.Enable","value":"false"'))
    const deleted = sent.findIndex((line) => line.startsWith('cwmp delete'))
    expect(woken).toBeGreaterThanOrEqual(0)
    expect(disabled).toBeGreaterThan(woken)
    expect(deleted).toBeGreaterThan(disabled)
  })

  it('makes a dormant device inform again before it takes USP away', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.refuses.usp.push('PeriodicInformInterval')
    const asked = world.asked.length
    await world.planner.act(plan.id, 'rollback', ANN)
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
    const sent = world.asked.slice(asked).filter(({ via, request }) => via === 'cwmp' && request.verb !== 'get')
    const lines = sent.map(({ request }) => JSON.stringify(request))
    expect(lines[0]).toContain(INTERVAL)
    expect(lines[1]).toContain('.Enable","value":"false"')
    expect(lines.filter((line) => line.includes(INTERVAL))).toHaveLength(1)
  })

  it('takes its rows away also where the device refuses the inform interval, and fails by that', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.refuses.usp.push('PeriodicInformInterval')
    cpe.refuses.cwmp.push('PeriodicInformInterval')
    await world.planner.act(plan.id, 'rollback', ANN)
    await untilState(plan, id, 'FAILED')
    expect(cpe.rows(CONTROLLERS)).toEqual([])
    expect((await world.planner.member(plan.id, id)).reason).toMatchObject({ code: '9008' })
    cpe.refuses.cwmp.length = 0
    await world.planner.act(plan.id, 'retry', ANN)
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
  })

  it('waits for a device whose USP is dead until it connects over CWMP, also over a restart', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.usp = true
    cpe.absent.cwmp = true
    const report = await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    expect(report).toMatchObject({ accepted: 1, refused: [] })
    await until(async () => (await stateOf(plan, id)) === 'STRANDED', DAY)
    expect(await owner(id)).toBe('cwmp')
    await world.planner.stop()
    const heir = world.anotherPlanner('heir')
    await heir.start()
    cpe.absent.cwmp = false
    await world.until(async () => {
      await live()
      return (await stateOf(plan, id)) === 'ROLLED_BACK'
    }, heir)
    await isAsBefore(id)
  })

  it('of one device is under way once, is reported as such when it is asked for again, and names an unknown device', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.cwmp = true
    expect(await world.planner.rollBackDevice(id, ANN)).toMatchObject({ state: 'ROLLING_BACK' })
    expect(await world.planner.rollBackDevice(id, ANN)).toMatchObject({ state: 'ROLLING_BACK' })
    const again = await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    expect(again).toMatchObject({ accepted: 1, underWay: 1, refused: [] })
    const { items } = await world.store.audit.list({ target: plan.id, limit: 10 })
    const told = items.filter((entry) => entry.action === 'member.rollback')
    expect(told.map(({ actor, after }) => [actor, after])).toContainEqual([
      'apiKey:ann',
      { accepted: 1, devices: [id] },
    ])
    await expect(world.planner.rollBackDevice('00256D-CPE-none' as DeviceId, ANN)).rejects.toMatchObject({
      code: 'notFound',
    })
    cpe.absent.cwmp = false
    await untilState(plan, id, 'ROLLED_BACK')
    await expect(world.planner.rollBackDevice(id, ANN)).rejects.toThrow(/ROLLED_BACK: there is nothing to roll back/)
  })

  it.each(['rollback', 'abort'] as const)('of a failed attempt is the last one after a person’s %s', async (action) => {
    const [id, cpe] = await one()
    cpe.absent.usp = true
    const plan = await started({ awaitUspTimeoutMs: 5000, maxAttempts: 5, retryBackoffMs: 1000 })
    await untilState(plan, id, 'AWAITING_USP')
    cpe.absent.cwmp = true
    await untilState(plan, id, 'ROLLING_BACK')
    expect(await world.planner.forDevices(plan.id, action, [id], ANN)).toMatchObject({ accepted: 1, underWay: 1 })
    cpe.absent.cwmp = false
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
  })

  it('leaves USP the owner while only USP answers', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.cwmp = true
    await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    await until(async () => (await stateOf(plan, id)) === 'STRANDED', DAY)
    expect(await owner(id)).toBe('usp')
    cpe.absent.cwmp = false
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
  })

  it('is for the named devices only, and reports those that it does not take', async () => {
    const [first, second] = await devices(2)
    if (first === undefined || second === undefined) throw new Error('no devices')
    const plan = await started()
    await untilPlan(plan, 'finished')
    const report = await world.planner.forDevices(plan.id, 'rollback', [first, 'nobody' as DeviceId], ANN)
    expect(report).toMatchObject({ accepted: 1, refused: [{ deviceId: 'nobody', reason: /no member/ }] })
    await untilPlan(plan, 'finished')
    expect(await stateOf(plan, first)).toBe('ROLLED_BACK')
    expect(await stateOf(plan, second)).toBe('MIGRATED')
    await isAsBefore(first)
    expect(await owner(second)).toBe('usp')
  })

  it('is for the devices of a selector, paced as the plan starts devices', async () => {
    const made = await devices(4)
    const plan = await started()
    await untilPlan(plan, 'finished')
    await world.planner.update(plan.id, { settings: { maxInFlight: 1 } }, undefined, ANN)
    const [kept, ...others] = made
    if (kept === undefined) throw new Error('no device')
    const selector = others.map((id) => `serial==${id.split('-').at(-1)}`).join(',')
    await world.planner.act(plan.id, 'rollback', ANN, { selector, paced: true })
    let most = 0
    await until(async () => {
      const states = await Promise.all(made.map((id) => stateOf(plan, id)))
      most = Math.max(most, states.filter((state) => state === 'ROLLING_BACK').length)
      return states.filter((state) => state === 'ROLLED_BACK').length === 3
    })
    expect(most).toBe(1)
    expect(await stateOf(plan, kept)).toBe('MIGRATED')
    await untilPlan(plan, 'finished')
  })

  it.each([
    ['by a selector', { selector: 'manufacturer==Northbridge', paced: true }],
    ['of the whole plan', { paced: true }],
  ])('%s is paused: devices under way go to their end, no other begins until it is resumed', async (_what, scope) => {
    const made = await devices(3)
    const plan = await started()
    await untilPlan(plan, 'finished')
    await world.planner.update(plan.id, { settings: { maxInFlight: 1 } }, undefined, ANN)
    const states = () => Promise.all(made.map((id) => stateOf(plan, id)))
    const count = async (state: MemberState) => (await states()).filter((one) => one === state).length
    await world.planner.act(plan.id, 'rollback', ANN, scope)
    await until(async () => (await count('ROLLING_BACK')) === 1)
    expect((await world.planner.status(plan.id)).rollback).toEqual({ left: 3 })
    const { bulk } = await world.planner.act(plan.id, 'pause', ANN)
    expect(bulk).toMatchObject([{ kind: 'rollback', paused: true }])
    await until(async () => (await count('ROLLING_BACK')) === 0)
    const back = await count('ROLLED_BACK')
    for (let i = 0; i < 5; i++) {
      await live()
      await world.planner.tick()
    }
    expect(await count('ROLLED_BACK')).toBe(back)
    expect(await count('MIGRATED')).toBe(3 - back)
    const { rollback, next } = await world.planner.status(plan.id)
    expect(rollback).toEqual({ left: 3 - back, paused: true })
    expect(next).toContain('a rollback is paused')
    await world.planner.act(plan.id, 'resume', ANN)
    await until(async () => (await count('ROLLED_BACK')) === 3)
    await until(async () => ['finished', 'aborted'].includes((await world.planner.get(plan.id)).state))
  })

  it('works after its group and its plan were deleted, and the plan goes when nothing is left to bring back', async () => {
    const [id] = await one()
    const plan = await started()
    await untilPlan(plan, 'finished')
    await world.groups.remove(plan.groupId, ANN)
    await world.planner.remove(plan.id, ANN)
    await expect(world.planner.get(plan.id)).rejects.toMatchObject({ code: 'notFound' })
    expect((await world.store.plans.listPlans({ limit: 10 })).items).toEqual([])
    for (let i = 0; i < 5; i++) await live()
    expect(await world.store.plans.snapshot(id)).toBeDefined()
    await world.planner.rollBackDevice(id, ANN)
    await until(async () => (await world.store.plans.getPlan(plan.id)) === undefined)
    await isAsBefore(id)
  })

  it('is refused for a device that was on USP before the plan, with the plan that moved it', async () => {
    const [id] = await one()
    const first = await started()
    await untilState(first, id, 'MIGRATED')
    const second = await started()
    await untilState(second, id, 'MIGRATED')
    const { migrated, alreadyThere, rate } = await world.planner.status(second.id)
    expect({ migrated, alreadyThere, rate }).toMatchObject({ migrated: 0, alreadyThere: 1, rate: { lastMinute: 0 } })
    expect(await world.planner.status(first.id)).toMatchObject({ migrated: 1, alreadyThere: 0 })
    const report = await world.planner.forDevices(second.id, 'rollback', [id], ANN)
    const reason = `plan ${first.id} has moved this device; roll it back in that plan first`
    expect(report).toMatchObject({ accepted: 0, refused: [{ deviceId: id, reason }] })
    // Nor is it brought back with the whole plan, which says who can.
    await world.planner.act(second.id, 'rollback', ANN)
    await untilPlan(second, 'aborted')
    const left = await world.planner.status(second.id)
    expect(left.leftOut).toEqual([{ why: 'otherPlan', planId: first.id, count: 1, example: id }])
    expect(left.next).toBe(
      `the rollback leaves out 1 device that plan ${first.id} moves or has moved: roll it back there`,
    )
    expect((await world.planner.get(second.id)).leftOut).toEqual(left.leftOut)
    // A device that the first plan brings back is migrated in no plan.
    await world.planner.act(first.id, 'rollback', ANN)
    await untilState(first, id, 'ROLLED_BACK')
    await until(async () => (await stateOf(second, id)) === 'CANCELLED')
    expect((await world.planner.member(second.id, id)).reason?.code).toBe('rolledBackElsewhere')
  })

  it('of a device that another plan counts as migrated leaves the record to the plan that moved it', async () => {
    const [id] = await one()
    const mover = await started()
    await untilState(mover, id, 'MIGRATED')
    const guest = await started()
    await untilState(guest, id, 'MIGRATED')
    await world.planner.rollBackDevice(id, ANN)
    await until(async () => (await stateOf(guest, id)) === 'CANCELLED')
    const record = await world.store.devices.get(id)
    expect(record?.migration).toMatchObject({ planId: mover.id, state: 'ROLLED_BACK' })
    await expect(world.planner.rollBackDevice(id, ANN)).rejects.toThrow('the device is ROLLED_BACK')
  })

  it('of a device whose record another plan holds is not lost to a blocked member that is aborted later', async () => {
    const [id] = await one()
    const mover = await started({ soakMs: DAY })
    await untilState(mover, id, 'DUAL')
    const blocked = await started()
    await until(async () => (await stateOf(blocked, id)) === 'BLOCKED')
    await world.planner.rollBackDevice(id, ANN)
    await untilState(mover, id, 'ROLLED_BACK')
    expect((await world.planner.forDevices(blocked.id, 'abort', [id], ANN)).accepted).toBe(1)
    const record = await world.store.devices.get(id)
    expect(record?.migration).toMatchObject({ planId: mover.id, state: 'ROLLED_BACK' })
  })

  it('is no matter of a deleted plan that has moved none of its devices: the plan goes, with its members', async () => {
    const [id] = await one()
    const mover = await started()
    await untilState(mover, id, 'MIGRATED')
    const guest = await started()
    await untilPlan(guest, 'finished')
    await world.planner.remove(guest.id, ANN)
    await until(async () => (await world.store.plans.getPlan(guest.id)) === undefined)
    expect(await world.store.plans.membersOf(id)).toHaveLength(1)
    const record = await world.store.devices.get(id)
    expect(record?.migration).toMatchObject({ planId: mover.id, state: 'MIGRATED' })
  })

  it('of a whole plan reports devices that another plan has moved since, counted again each time', async () => {
    const [id, cpe] = await one()
    const [other] = await devices(1)
    if (other === undefined) throw new Error('no device')
    cpe.absent.usp = true
    const first = await started({ awaitUspTimeoutMs: 5000 })
    await untilState(first, id, 'QUARANTINED')
    await untilState(first, other, 'MIGRATED')
    cpe.absent.usp = false
    const second = await started()
    await untilState(second, id, 'MIGRATED')
    for (let times = 0; times < 2; times++) {
      await world.planner.act(first.id, 'rollback', ANN)
      await untilPlan(first, 'aborted')
      const { leftOut } = await world.planner.status(first.id)
      expect(leftOut).toEqual([{ why: 'otherPlan', planId: second.id, count: 1, example: id }])
    }
    expect(await stateOf(first, other)).toBe('ROLLED_BACK')
    expect(await stateOf(second, id)).toBe('MIGRATED')
    await world.planner.act(second.id, 'rollback', ANN)
    await untilPlan(second, 'aborted')
    expect(await world.planner.status(second.id)).not.toHaveProperty('leftOut')
    // The other plan has brought its device back since: nothing is left to do there.
    expect(await world.planner.status(first.id)).not.toHaveProperty('leftOut')
    expect((await world.planner.status(first.id)).next).toBe('nothing')
  })

  it('keeps to a Controller row that was there before, and to trust rows of others', async () => {
    const [id, cpe] = await one()
    const row = `${CONTROLLERS}1.`
    cpe.put(row, { EndpointID: 'proto::isthmus-test', Enable: 'false', PeriodicNotifInterval: '777' })
    cpe.put('Device.USPAgent.ControllerTrust.Credential.1.', { Credential: 'Device.LocalAgent.Certificate.1' })
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    await world.planner.act(plan.id, 'rollback', ANN)
    await untilState(plan, id, 'ROLLED_BACK')
    expect(cpe.rows(CONTROLLERS)).toEqual([row])
    expect(cpe.values.get(`${row}PeriodicNotifInterval`)).toBe('777')
    expect(cpe.values.get(`${row}Enable`)).toBe('false')
    expect(cpe.rows(`${row}MTP.`)).toEqual([])
    expect(cpe.rows('Device.USPAgent.ControllerTrust.Credential.')).toHaveLength(1)
  })
})

describe('migrated devices', () => {
  it('whose Agent is silent are an event and a count, and are not silent any more when it answers', async () => {
    const [id, cpe] = await one()
    const plan = await started({ silentAfterMs: DAY })
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.usp = true
    for (let hour = 0; hour < 27; hour++) {
      await live(3_600_000)
      await world.planner.watch()
      if (hour < 20) expect((await world.planner.status(plan.id)).silent).toBe(0)
    }
    const status = await world.planner.status(plan.id)
    expect(status.silent).toBe(1)
    expect(status.next).toMatch(/no answer from the Agents? of 1 device/)
    expect(status.states).toEqual({ MIGRATED: 1 })
    const events = async () =>
      (await world.store.events.ofDevice(id, '', 1000)).filter(({ type }) => type === 'member.silent')
    expect((await events()).map(({ data }) => data)).toEqual([{ silent: true }])
    expect((await world.planner.groupStatus(plan.groupId)).plan?.silent).toBe(1)
    cpe.absent.usp = false
    await live()
    await world.planner.watch()
    expect((await world.planner.status(plan.id)).silent).toBe(0)
    expect((await events()).map(({ data }) => data)).toEqual([{ silent: true }, { silent: false }])
  })

  it('are brought back when they are silent, if the plan wants that', async () => {
    const [id, cpe] = await one()
    const plan = await started({ silentAfterMs: DAY, onSilent: 'rollback' })
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.usp = true
    for (let hour = 0; hour < 27; hour++) {
      await live(3_600_000)
      await world.planner.watch()
    }
    await untilState(plan, id, 'ROLLED_BACK')
    await isAsBefore(id)
  })

  it('that are deleted are cancelled in every plan', async () => {
    const [id] = await one()
    const a = await started()
    await untilState(a, id, 'MIGRATED')
    const other = await started()
    await untilState(other, id, 'MIGRATED')
    await world.store.devices.delete(id)
    await world.store.events.append([{ type: 'device.deleted', at: world.clock.nowMs, deviceId: id, data: {} }])
    for (const plan of [a, other]) await untilState(plan, id, 'CANCELLED')
    expect((await world.planner.status(a.id)).states).toEqual({ CANCELLED: 1 })
  })

  it('that are reset are CWMP’s in every plan that counts them', async () => {
    const [id, cpe] = await one()
    const a = await started()
    await untilPlan(a, 'finished')
    const b = await started()
    await untilPlan(b, 'finished')
    for (const row of cpe.rows(CONTROLLERS))
      for (const path of [...cpe.values.keys()]) if (path.startsWith(row)) cpe.values.delete(path)
    await world.store.events.append([{ type: 'device.bootstrapped', at: world.clock.nowMs, deviceId: id, data: {} }])
    for (const plan of [a, b]) await untilState(plan, id, 'REGRESSED')
    expect(await owner(id)).toBe('cwmp')
  })
})

describe('the status of a group', () => {
  it('shows the plan that runs, drafts beside it, and lists all plans', async () => {
    await devices(1)
    const first = await started()
    await untilPlan(first, 'finished')
    const { groupId } = first
    const draft = await world.planner.create({ name: 'next', groupId }, ANN)
    expect((await world.planner.groupStatus(groupId)).plan?.planId).toBe(first.id)
    const second = await world.planner.create({ name: 'again', groupId }, ANN)
    await world.planner.act(second.id, 'start', ANN)
    const status = await world.planner.groupStatus(groupId)
    expect(status.plan?.planId).toBe(second.id)
    expect(status.plans.map(({ id }) => id)).toEqual([second.id, draft.id, first.id])
  })
})

describe('a plan whose group was deleted', () => {
  it('cannot be started, and the refusal names what to do instead', async () => {
    const plan = await world.plan()
    await world.groups.remove(plan.groupId, ANN)
    expect((await world.planner.status(plan.id)).next).toMatch(/group .* was deleted: .*delete this plan.* new plan/)
    await expect(world.planner.act(plan.id, 'start', ANN)).rejects.toThrow(/group .* was deleted/)
  })
})

describe('a plan that moves devices', () => {
  it('is not deleted, and the refusal names what to wait for', async () => {
    const [id, cpe] = await one()
    const plan = await started()
    await untilState(plan, id, 'MIGRATED')
    cpe.absent.cwmp = true
    await world.planner.act(plan.id, 'rollback', ANN)
    await untilState(plan, id, 'ROLLING_BACK')
    await expect(world.planner.remove(plan.id, ANN)).rejects.toThrow(/being aborted: 1 device to .*wait until/)
    cpe.absent.cwmp = false
    await untilPlan(plan, 'aborted')
    await world.planner.remove(plan.id, ANN)
    const other = await started()
    await world.planner.act(other.id, 'pause', ANN)
    await expect(world.planner.remove(other.id, ANN)).rejects.toThrow(/paused .*abort it, and wait until it is aborted/)
  })
})

describe('plans', () => {
  it('count a failed attempt while its device is tried again', async () => {
    await devices(16)
    for (const cpe of cpes.values()) cpe.absent.usp = true
    const plan = await started({
      maxInFlight: 3,
      maxAttempts: 3,
      gateMinSample: 6,
      failureGatePercent: 30,
      retryBackoffMs: 4000,
      awaitUspTimeoutMs: 1000,
    })
    await untilPlan(plan, 'paused')
    const members = await Promise.all(ids.map((id) => world.planner.member(plan.id, id)))
    const failures = members.flatMap(({ history }) => history.filter(({ event }) => event === 'fail'))
    expect(failures.length).toBeGreaterThanOrEqual(6)
    expect(failures.length).toBeLessThanOrEqual(9)
  })

  it('that are started and deleted at the same moment leave no members and no pointers behind', async () => {
    await devices(3)
    world.answer = () => undefined
    for (let i = 0; i < 10; i++) {
      const plan = await world.plan(quick)
      const [start, remove] = await Promise.allSettled([
        world.planner.act(plan.id, 'start', ANN),
        world.planner.remove(plan.id, ANN),
      ])
      expect([start.status, remove.status]).toContain('fulfilled')
      if (start.status === 'fulfilled' && remove.status === 'rejected') await world.planner.act(plan.id, 'abort', ANN)
      await until(async () => {
        const found = await world.store.plans.getPlan(plan.id)
        return found === undefined || found.state === 'aborted'
      })
      if ((await world.store.plans.getPlan(plan.id)) !== undefined) continue
      expect((await world.store.plans.listMembers(plan.id, { limit: 10 })).items).toEqual([])
    }
    for (const id of ids) {
      const pointer = (await world.store.devices.get(id))?.migration
      if (pointer !== undefined) expect(['CANCELLED', 'ROLLED_BACK']).toContain(pointer.state)
    }
  })

  it('of a deleted group cannot be started', async () => {
    await devices(1)
    const plan = await world.plan()
    await world.groups.remove(plan.groupId, ANN)
    await expect(world.planner.act(plan.id, 'start', ANN)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/group of this plan was deleted/),
    })
    expect((await world.planner.get(plan.id)).state).toBe('draft')
  })

  it('use up no attempt for an absence in the middle of one', async () => {
    const [id, cpe] = await one()
    cpe.absent.usp = true
    const plan = await started({ maxAttempts: 2, awaitUspTimeoutMs: 5000, retryBackoffMs: 1000 })
    await untilState(plan, id, 'AWAITING_USP')
    cpe.absent.cwmp = true
    await until(async () => (await stateOf(plan, id)) === 'STRANDED', 600_000)
    expect((await world.planner.member(plan.id, id)).attempt).toBe(1)
    cpe.absent.cwmp = false
    cpe.absent.usp = false
    await untilState(plan, id, 'MIGRATED')
    expect((await world.planner.member(plan.id, id)).attempt).toBe(2)
  })
})

describe('the soak', () => {
  it('asks the Agent at each look: one that keeps its link and does not answer is not migrated', async () => {
    const [id] = await one()
    const plan = await started({ soakMs: 300_000 })
    await untilState(plan, id, 'DUAL')
    world.links.answers = () => 'silent'
    await untilState(plan, id, 'QUARANTINED')
    expect((await world.planner.member(plan.id, id)).reason?.code).toBe('linkLost')
    await isAsBefore(id)
  })
})
