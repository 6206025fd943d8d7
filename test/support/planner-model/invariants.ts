import { HOLDING, memberStateRow, type Plan, type PlanCounters, type PlanMember } from '../../../src/domain/index.ts'
import { countsOf } from '../memory-plan-store.ts'
import type { Cpe } from './cpe.ts'
import { CONTROLLERS } from './data-model.ts'
import type { World } from './world.ts'

/** Returns the invariants of every moment that are broken, in words. */
export function brokenNow(world: World): string[] {
  const wrong = [...world.defects]
  for (const cpe of world.cpes) wrong.push(...wrongDevice(world, cpe))
  // Without a write the members are those of the last look.
  if (world.writes === world.lookedAt) return wrong
  world.lookedAt = world.writes
  for (const member of world.stores.inside.plans.members.values()) wrong.push(...wrongShape(member))
  return [...wrong, ...wrongCounters(world)]
}

/** Returns the invariants that are broken while every device is here, its Agent answers, and nothing is due. */
export function brokenWhenQuiet(world: World): string[] {
  const { plans, members } = world.stores.inside.plans
  // A plan whose rollbacks are paused rests until a person resumes it.
  const isPaused = ({ bulk }: Plan) => bulk?.every(({ paused }) => paused === true) === true
  const going = [...plans.values()].filter(
    (plan) => plan.state === 'running' || (plan.state === 'aborting' && !isPaused(plan)),
  )
  const unfinished = going.map(({ id, state }) => {
    const open = [...members.values()].filter(
      ({ planId, state: at }) => planId === id && memberStateRow(at).phase !== 'ended',
    )
    return `plan ${id} is ${state} without end: ${open.map(textOf).join(', ')}`
  })
  const bulk = [...plans.values()].flatMap((plan) =>
    plan.bulk === undefined || isPaused(plan) ? [] : [`plan ${plan.id} still has work: ${JSON.stringify(plan.bulk)}`],
  )
  return [
    ...brokenNow(world),
    ...unfinished,
    ...bulk,
    ...[...members.values()].flatMap((member) => wrongEnd(world, member)),
    ...world.cpes.flatMap((cpe) => wrongPointer(world, cpe)),
  ]
}

/**
 * Returns the devices that have something of a plan, and the snapshots that are left, after everything was rolled back.
 */
export function brokenWhenBack(world: World): string[] {
  return world.cpes.flatMap((cpe) => {
    const left = [
      ...(cpe.model.isAsBefore ? [] : [`${cpe.id} is not as it was:\n${difference(cpe)}`]),
      ...(world.stores.inside.plans.snapshots.has(cpe.id) ? [`${cpe.id} still has a snapshot`] : []),
      ...(cpe.record?.owner === 'usp' ? [`${cpe.id} is still owned by USP`] : []),
    ]
    return left
  })
}

function textOf({ id, state, waiting, dueMs, visit, step, lease }: PlanMember): string {
  return `${id} ${state} waiting=${waiting} dueMs=${dueMs} visit=${visit} step=${step} lease=${JSON.stringify(lease)}`
}

function difference({ model }: Cpe): string {
  const now = new Set(model.nowText.split('\n'))
  const before = new Set(model.before.split('\n'))
  const more = [...now].filter((line) => !before.has(line)).map((line) => `+ ${line}`)
  const less = [...before].filter((line) => !now.has(line)).map((line) => `- ${line}`)
  return [...more, ...less].join('\n')
}

type Counted = Pick<PlanCounters, 'states' | 'waits' | 'silent' | 'alreadyThere'> & { reasons: Record<string, number> }

const NOTHING: Counted = { states: {}, waits: {}, silent: 0, alreadyThere: 0, reasons: {} }

function wrongCounters(world: World): string[] {
  const { plans, members, counters } = world.stores.inside.plans
  const recounted = new Map<string, Counted>()
  for (const { planId, state, waiting, reason, silentAt, facts } of members.values()) {
    const counted = recounted.get(planId) ?? { ...NOTHING, states: {}, waits: {}, reasons: {} }
    recounted.set(planId, counted)
    counted.states[state] = (counted.states[state] ?? 0) + 1
    if (waiting !== undefined) counted.waits[`${state}|${waiting}`] = (counted.waits[`${state}|${waiting}`] ?? 0) + 1
    if (silentAt !== undefined) counted.silent++
    if (state === 'MIGRATED' && facts.alreadyThere === true) counted.alreadyThere++
    if (reason !== undefined) {
      const key = `${reason.code}|${state}`
      counted.reasons[key] = (counted.reasons[key] ?? 0) + 1
    }
  }
  return [...plans.values()].flatMap(({ id, state }) => {
    if (state === 'deleted') return []
    const document = counters.get(id) ?? { _id: id }
    const { states, waits, silent, alreadyThere, reasons } = countsOf(document)
    const stored: Counted = { states, waits, silent, alreadyThere, reasons: {} }
    for (const { code, state: at, count } of reasons) stored.reasons[`${code}|${at}`] = count
    const expected = recounted.get(id) ?? NOTHING
    const same =
      silent === expected.silent &&
      alreadyThere === expected.alreadyThere &&
      sameCounts(states, expected.states) &&
      sameCounts(waits, expected.waits) &&
      sameCounts(stored.reasons, expected.reasons)
    return same ? [] : [`counters of plan ${id}: ${JSON.stringify(stored)}, counted anew: ${JSON.stringify(expected)}`]
  })
}

function sameCounts(a: Record<string, number>, b: Record<string, number>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** Ended members wait for nothing and are due never; open ones are due, or wait for a place or for their device. */
function wrongShape(member: PlanMember): string[] {
  const { state, waiting, dueMs, deadlineMs } = member
  if (memberStateRow(state).phase === 'ended') {
    const quiet = waiting === undefined && dueMs === undefined && deadlineMs === undefined
    return quiet ? [] : [`an ended member is due: ${textOf(member)}`]
  }
  const waits = waiting === 'offline' || (state === 'QUEUED' && waiting === 'place')
  return dueMs !== undefined || waits ? [] : [`a member waits for nothing: ${textOf(member)}`]
}

function membersOf(world: World, cpe: Cpe): PlanMember[] {
  const found: PlanMember[] = []
  for (const member of world.stores.inside.plans.members.values()) if (member.deviceId === cpe.id) found.push(member)
  return found
}

function wrongDevice(world: World, cpe: Cpe): string[] {
  const wrong: string[] = []
  const { record, model, id } = cpe
  const snapshot = world.stores.inside.plans.snapshots.get(id)
  if (snapshot === undefined) cpe.forgotten = false
  if (snapshot === undefined && !model.isAsBefore)
    wrong.push(`${id} is not as it was, and its snapshot is lost:\n${difference(cpe)}`)
  const holding = membersOf(world, cpe).filter(({ state }) => HOLDING.includes(state))
  if (holding.length === 0 && record !== undefined && !cpe.forgotten) {
    if (snapshot !== undefined) wrong.push(`${id}: no member holds it, and a snapshot is left`)
    if (record.owner !== 'cwmp') wrong.push(`${id}: no member holds it, and ${record.owner} owns it`)
  }
  const moving = holding.filter(({ state }) => memberStateRow(state).holds !== 'moved')
  if (cpe.deletions === 0 && moving.length > 1)
    wrong.push(`${id} is moved by two plans: ${moving.map(textOf).join('; ')}`)
  const [mover] = moving
  if (cpe.deletions === 0 && mover !== undefined) {
    const pointer = record?.migration
    if (pointer?.planId !== mover.planId || pointer.state !== mover.state)
      wrong.push(`${id} points to ${JSON.stringify(pointer)}, its mover is ${textOf(mover)}`)
  }
  return wrong
}

/** Returns the ends of a member that its device contradicts. */
function wrongEnd(world: World, member: PlanMember): string[] {
  const cpe = world.cpe(member.deviceId)
  if (cpe === undefined) return []
  const { record, model } = cpe
  if (member.state === 'STRANDED') return [`its device is here, and it is stranded: ${textOf(member)}`]
  if (member.state !== 'MIGRATED' || record?.migration?.planId !== member.planId) return []
  const wrong: string[] = []
  const plan = world.stores.inside.plans.plans.get(member.planId)
  const snapshot = world.stores.inside.plans.snapshots.get(cpe.id)
  if (record.owner !== 'usp') wrong.push(`it is MIGRATED, and ${record.owner} owns its device: ${textOf(member)}`)
  if (!model.dials) wrong.push(`it is MIGRATED, and its device has no row that leads to us: ${textOf(member)}`)
  if (snapshot === undefined) wrong.push(`it is MIGRATED, and has no snapshot: ${textOf(member)}`)
  const sleeps = plan?.settings.retire === 'dormant' && member.startedAt !== undefined
  if (sleeps && model.interval !== String(plan.settings.dormantIntervalS))
    wrong.push(`it is MIGRATED, and its device informs every ${model.interval} s: ${textOf(member)}`)
  return wrong.map((text) => `${text}; rows ${model.rows(CONTROLLERS).join(' ')}`)
}

/** The record names the member that holds the device. */
function wrongPointer(world: World, cpe: Cpe): string[] {
  const holding = membersOf(world, cpe).filter(({ state }) => HOLDING.includes(state))
  if (cpe.record === undefined) return holding.map((member) => `its device is deleted: ${textOf(member)}`)
  const pointer = cpe.record.migration
  const held = pointer !== undefined && HOLDING.includes(pointer.state)
  if (holding.length > 0 && !holding.some(({ planId, state }) => planId === pointer?.planId && state === pointer.state))
    return [`${cpe.id} points to ${JSON.stringify(pointer)}, it is held by ${holding.map(textOf).join('; ')}`]
  return held && holding.length === 0 ? [`${cpe.id} points to ${JSON.stringify(pointer)}, and nothing holds it`] : []
}
