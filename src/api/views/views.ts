import type { ServiceTime } from '../../base/index.ts'
import { isSecret } from '../../datamodel/index.ts'
import {
  cwmpPresence,
  type Device,
  type Operation,
  type Operations,
  type Parameter,
  type Plan,
  type PlanMember,
  resultWithoutSecrets,
  uspPresence,
  withoutSecrets,
} from '../../domain/index.ts'
import type { Groups } from '../../groups/index.ts'
import type { ShownWaiting } from '../../planner/index.ts'

/** Devices as the API shows them, with all groups that they belong to: as static members, or because they fit a group's selector. */
export async function deviceViews(
  devices: Device[],
  groups: Pick<Groups, 'of'>,
  now: number,
): Promise<Record<string, unknown>[]> {
  const of = await groups.of(devices)
  return devices.map((device) => deviceView({ ...device, groups: of.get(device.id) ?? device.groups }, now))
}

/** A device as the API shows it: times as ISO 8601, presence worked out, nothing of the inside. */
function deviceView(device: Device, now: number): Record<string, unknown> {
  const {
    work: _work,
    softwareVersionKey: _key,
    cwmp,
    usp,
    binding,
    readiness,
    migration,
    createdAt,
    updatedAt,
    ...rest
  } = device
  const view: Record<string, unknown> = {
    ...rest,
    presence: { cwmp: cwmpPresence(device, now), usp: uspPresence(device) },
  }
  if (cwmp !== undefined) {
    const { informHash: _hash, notes: _notes, lastWake, discovery, ...facts } = cwmp
    view.cwmp = {
      ...withTimes(facts),
      ...(lastWake === undefined ? {} : { lastWake: withTimes(lastWake) }),
      ...(discovery === undefined ? {} : { discovery: withTimes(discovery) }),
    }
  }
  if (usp !== undefined) {
    const { lastSeenAt, connectedAt, disconnectedAt, lastBootAt, lastAnswerAt, lastDisconnect, ...facts } = usp
    view.usp = {
      ...facts,
      lastSeenAt: iso(lastSeenAt),
      ...times({ lastAnswerAt, connectedAt, disconnectedAt, lastBootAt }),
      ...(lastDisconnect === undefined ? {} : { lastDisconnect: withTimes(lastDisconnect) }),
    }
  }
  if (binding !== undefined) view.binding = { ...binding, at: iso(binding.at) }
  if (readiness !== undefined) view.readiness = { ...readiness, at: iso(readiness.at) }
  if (migration !== undefined) view.migration = { ...migration, at: iso(migration.at) }
  return { ...view, createdAt: iso(createdAt), updatedAt: iso(updatedAt) }
}

/** A parameter as the API shows it. What was stored before its name was known as that of a secret is not shown. */
export function parameterView({ deviceId: _id, collectedAt, ...parameter }: Parameter): Record<string, unknown> {
  return { ...parameter, value: isSecret(parameter.path) ? '' : parameter.value, collectedAt: iso(collectedAt) }
}

/** Without the secrets that requests and results carry: who may read operations need not know them. */
export function operationView(operation: Operation, waitingFor?: string): Record<string, unknown> {
  const { instance: _instance, baseline: _baseline, request, result, ...rest } = operation
  const view: Record<string, unknown> = { ...withTimes(rest), request: withoutSecrets(request) }
  const { actor, idempotencyKey } = operation
  const before = `${actor.kind}:${actor.id}:`
  // As it was given: who asked stands before it inside.
  if (idempotencyKey?.startsWith(before) === true) view.idempotencyKey = idempotencyKey.slice(before.length)
  if (waitingFor !== undefined) view.waitingFor = waitingFor
  if (result !== undefined) view.result = resultWithoutSecrets(result)
  return view
}

/** Operations as the API shows them, those that have not ended with what they wait for. */
export async function operationViews(
  operations: readonly Operation[],
  { waitingFor }: Pick<Operations, 'waitingFor'>,
): Promise<Record<string, unknown>[]> {
  const reasons = await waitingFor(operations)
  return operations.map((operation) => operationView(operation, reasons.get(operation.id)))
}

/** A plan with the bulk work that goes on, without how far it is. */
export function planView({ bulk, gateBase: _base, ...plan }: Plan): Record<string, unknown> {
  const view = withTimes(plan)
  if (bulk !== undefined)
    view.underWay = bulk.map(({ kind, selector, paced }) => ({
      kind,
      ...(selector === undefined ? {} : { selector }),
      ...(paced === undefined ? {} : { paced }),
    }))
  const { host } = plan.settings.controller
  if (/^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host))
    view.warnings = [
      `settings.controller.host is ${host}: only devices on this machine reach it (see --usp-public-host)`,
    ]
  return view
}

/** The plan of a member, as far as its view needs it. */
export interface MemberContext {
  time: ServiceTime
  /** The thing that members which wait for a place wait for now. */
  placeMeans: ShownWaiting
}

/** A member of a plan: where the device stands, why, what it waits for and until when. */
export function memberView(
  {
    lease: _lease,
    facts: _facts,
    done: _done,
    visit: _visit,
    dueMs,
    deadlineMs,
    enteredMs: _entered,
    waiting,
    ...member
  }: PlanMember,
  { time, placeMeans }: MemberContext,
): Record<string, unknown> {
  const view: Record<string, unknown> = { ...withTimes(member), history: member.history.map(withTimes) }
  if (waiting !== undefined) view.waiting = waiting === 'place' ? placeMeans : waiting
  if (dueMs !== undefined) view.nextLookAt = iso(time.wallTime(dueMs))
  if (deadlineMs !== undefined) view.deadlineAt = iso(time.wallTime(deadlineMs))
  return view
}

/** Every number field that is a time, as ISO 8601. */
export function withTimes(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      typeof item === 'number' && (name.endsWith('At') || name === 'at') ? iso(item) : item,
    ]),
  )
}

function times(values: Record<string, number | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, iso(value)]])),
  )
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
