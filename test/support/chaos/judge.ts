import {
  type Device,
  ENDED,
  HOLDING,
  MEMBER_STATES,
  memberStateRow,
  OPEN,
  type Operation,
  type Plan,
  type PlanCounters,
  type PlanMember,
  WAITING_REASONS,
} from '../../../src/domain/index.ts'
import type { SimulatedDevice } from '../../../src/simulator/index.ts'
import { type ChaosActs, PROVISIONING_CODE } from './acts.ts'
import { type ChaosWorld, ENDPOINT_ID } from './world.ts'

const LIVE: Plan['state'][] = ['running', 'paused', 'aborting', 'deleted']
const ALL: Plan['state'][] = [...LIVE, 'draft', 'aborted', 'finished']
const SERVER = 'Device.ManagementServer.'

/** All that is stored at one time. */
interface Picture {
  devices: Map<string, Device>
  plans: { plan: Plan; members: PlanMember[]; counters: PlanCounters }[]
  open: Operation[]
}

/**
 * Compares devices, records, members, counters, snapshots and credentials with each other. Answers what does not agree,
 * in sentences.
 */
export class ChaosJudge {
  readonly #world: ChaosWorld
  readonly #acts: ChaosActs
  /** Events of members that were seen in their histories. */
  readonly seen = new Set<string>()

  constructor(world: ChaosWorld, acts: ChaosActs) {
    this.#world = world
    this.#acts = acts
  }

  /** Things that are still under way, or do not agree. Empty: everything is at rest, and as it should be. */
  async look(): Promise<string[]> {
    const picture = await this.#take()
    const unrest = underWay(picture)
    if (unrest.length > 0) return unrest
    const found: string[] = []
    const cpes = this.#world.fleet.cpes()
    if (picture.devices.size < cpes.size) found.push(`${picture.devices.size} of ${cpes.size} devices are there`)
    for (const [id, cpe] of cpes) {
      const device = picture.devices.get(id)
      if (device === undefined) found.push(`${id}: there is no record`)
      else found.push(...(await this.#device(device, cpe, picture)).map((text) => `${id} (${cpe.faults}): ${text}`))
    }
    for (const one of picture.plans) found.push(...members(one), ...counted(one))
    for (const { history } of picture.plans.flatMap(({ members }) => members))
      for (const { event } of history) this.seen.add(event)
    return found
  }

  /**
   * Checks that are too slow for each look: the audit chain, what was acknowledged, and answers that no request may
   * get.
   */
  async last(): Promise<string[]> {
    const { store, api } = this.#world
    const found = [...api.defects]
    const { firstBroken } = await store.audit.verify(1_000_000)
    if (firstBroken !== undefined) found.push(`the audit chain is broken at entry ${firstBroken}`)
    for (const id of api.plans)
      if ((await store.plans.getPlan(id)) === undefined) found.push(`plan ${id} was acknowledged and does not exist`)
    const written = new Map<string, string[]>()
    for (const [id, { deviceId, request }] of api.operations) {
      const operation = await store.operations.get(id)
      if (operation === undefined) found.push(`operation ${id} was acknowledged and does not exist`)
      if (operation === undefined || request.verb !== 'set') continue
      const { value } = (request.values as { value: string }[])[0] ?? { value: '' }
      // One that did not end well may have been done all the same.
      const before = operation.state === 'done' ? [] : (written.get(deviceId) ?? [''])
      written.set(deviceId, [...before, value])
    }
    const cpes = this.#world.fleet.cpes()
    for (const [deviceId, values] of written) {
      const value = cpes.get(deviceId)?.tree.raw(PROVISIONING_CODE) ?? ''
      if (!this.#acts.lost.has(deviceId) && !values.includes(value))
        found.push(`${deviceId} has the value ${value}, not ${values.join(' or ')}`)
    }
    return found
  }

  async #take(): Promise<Picture> {
    const { store } = this.#world
    const { items: devices } = await store.devices.list({ limit: 500 })
    const { items: plans } = await store.plans.listPlans({ states: ALL, limit: 500 })
    return {
      devices: new Map(devices.map((device) => [device.id, device])),
      plans: await Promise.all(
        plans.map(async (plan) => ({
          plan,
          members: (await store.plans.listMembers(plan.id, { limit: 500 })).items,
          counters: await store.plans.counters(plan.id),
        })),
      ),
      open: (await store.operations.list({ states: ['queued', 'sent', 'unknown'], limit: 500 })).items,
    }
  }

  async #device(device: Device, cpe: SimulatedDevice, { plans }: Picture): Promise<string[]> {
    if (cpe.kind !== 'dualStack') return []
    const members = plans.flatMap(({ members }) => members).filter(({ deviceId }) => deviceId === device.id)
    const state = device.migration?.state
    const holds = state !== undefined && HOLDING.includes(state)
    const moved = state === 'MIGRATED'
    const found: string[] = []
    const expect = (what: string, is: unknown, wanted: unknown) => {
      if (is !== wanted)
        found.push(`${what} is ${String(is)}, not ${String(wanted)} (pointer ${state}; ${story(members)})`)
    }
    expect('the owner', device.owner, moved ? 'usp' : 'cwmp')
    const holders = members.filter(
      (member) => memberStateRow(member.state).holds !== 'none' && !isGuest(member, device),
    )
    expect('the number of plans that hold it', holders.length, holds ? 1 : 0)
    const pointed = members.find(({ planId }) => planId === device.migration?.planId)
    if (pointed !== undefined) expect('the state of the member', pointed.state, state)
    for (const { planId, state: counted } of members)
      if (counted === 'MIGRATED') expect(`the owner, as plan ${planId} counts it as migrated,`, device.owner, 'usp')
    expect('the presence over USP', device.usp?.linked === true, moved)
    if (moved) expect('the answer of its Agent', device.usp?.answering, true)
    if (moved || !holds) {
      found.push(...(await this.#settings(device, cpe, moved)))
    }
    const snapshot = await this.#world.store.plans.snapshot(device.id)
    if (holds) expect('the stored snapshot', snapshot !== undefined, true)
    else if (!this.#acts.deleted.has(device.id)) expect('the stored snapshot', snapshot !== undefined, false)
    found.push(...(await this.#login(device, cpe)))
    return found
  }

  /** The rows and the interval of a device that is where a plan wants it, or as it was. */
  async #settings(device: Device, cpe: SimulatedDevice, moved: boolean): Promise<string[]> {
    const found: string[] = []
    const value = (path: string) => cpe.tree.raw(path)
    const rows = cpe.controllerRows().filter((row) => value(`${row}EndpointID`) === ENDPOINT_ID)
    if (rows.length !== (moved ? 1 : 0))
      found.push(`it has ${rows.length} rows of our Controller (${device.migration?.state})`)
    for (const row of rows) {
      const mtps = cpe.tree.instances(`${row}MTP.`).filter((mtp) => value(`${mtp}Enable`) === 'true')
      if (moved && (value(`${row}Enable`) !== 'true' || mtps.length !== 1))
        found.push(`${row} is ${value(`${row}Enable`)} with ${mtps.length} enabled MTPs`)
    }
    const interval = value(`${SERVER}PeriodicInformInterval`)
    const wanted = moved ? '86400' : String(this.#world.options.informIntervalS)
    if (interval !== wanted)
      found.push(`its inform interval is ${interval}, not ${wanted} (${device.migration?.state})`)
    return found
  }

  /** The password of the device must be one that the server takes. */
  async #login(device: Device, cpe: SimulatedDevice): Promise<string[]> {
    const credential = await this.#world.store.credentials.get(device.id)
    const password = cpe.tree.raw(`${SERVER}Password`)
    const { current, pending, earlier = [] } = credential ?? {}
    const accepted = [current, pending, ...earlier].map((login) => login?.password)
    if (accepted.includes(password)) return []
    const stored = JSON.stringify({ ...credential, connectionRequest: undefined })
    return [`it cannot log in over CWMP: its password is ${password}; stored is ${stored}`]
  }
}

/** A plan that found the device moved already counts it, and does not hold it. */
function isGuest({ state, planId }: PlanMember, device: Device): boolean {
  return state === 'MIGRATED' && device.migration?.planId !== planId
}

function underWay({ plans, open }: Picture): string[] {
  const found: string[] = []
  for (const { plan, members } of plans) {
    if (LIVE.includes(plan.state) && plan.state !== 'deleted') found.push(`plan ${plan.id} is ${plan.state}`)
    for (const member of members)
      if (OPEN.includes(member.state))
        found.push(
          `${member.id} is ${member.state}, waits for ${member.waiting}, step ${member.step}, lease ${member.lease?.by}`,
        )
  }
  for (const { id, deviceId, request, state, sentVia, instance } of open)
    found.push(`operation ${id} (${request.verb} of ${deviceId}) is ${state}, over ${sentVia} by ${instance}`)
  return found
}

function members({ members }: { members: PlanMember[] }): string[] {
  return members.flatMap((member) => {
    const found: string[] = []
    if (ENDED.includes(member.state) && member.dueMs !== undefined)
      found.push(`${member.id}: ${member.state} with a due time`)
    if (ENDED.includes(member.state) && member.waiting !== undefined)
      found.push(`${member.id}: ${member.state} waits for ${member.waiting}`)
    if (ENDED.includes(member.state) && member.lease !== undefined)
      found.push(`${member.id}: ${member.state} with a lease`)
    if (member.state === 'STRANDED') found.push(`${member.id}: STRANDED although its device is here`)
    return found
  })
}

/** The counters of a plan against its members. */
function counted({ plan, members, counters }: Picture['plans'][number]): string[] {
  // No list shows a deleted plan, nor its counters.
  if (plan.state === 'deleted') return []
  const found: string[] = []
  const compare = (what: string, is: number, there: number) => {
    if (is !== there) found.push(`plan ${plan.id} (${plan.state}) counts ${is} ${what}, and has ${there}`)
  }
  for (const state of MEMBER_STATES) {
    const of = members.filter((member) => member.state === state)
    compare(state, counters.states[state] ?? 0, of.length)
    for (const waiting of WAITING_REASONS)
      compare(
        `${state} that wait for ${waiting}`,
        counters.waits[`${state}|${waiting}`] ?? 0,
        of.filter((member) => member.waiting === waiting).length,
      )
    for (const code of new Set(of.map(({ reason }) => reason?.code)))
      if (code !== undefined)
        compare(
          `${state} for ${code}`,
          counters.reasons.find((row) => row.code === code && row.state === state)?.count ?? 0,
          of.filter(({ reason }) => reason?.code === code).length,
        )
  }
  compare('silent ones', counters.silent, members.filter(({ silentAt }) => silentAt !== undefined).length)
  return found
}

function story(members: PlanMember[]): string {
  return members
    .map(
      ({ planId, history }) =>
        `${planId.slice(-6)}: ${history
          .slice(-12)
          .map(({ event, to, code }) => `${event}${code === undefined ? '' : `(${code})`} ${to}`)
          .join(', ')}`,
    )
    .join(' | ')
}
