import { isSecret } from '../../datamodel/index.ts'
import {
  actorText,
  cwmpPresence,
  type Device,
  isConfirmed,
  type ModelCoverage,
  type Operation,
  type Operations,
  type Parameter,
  type Plan,
  resultWithoutSecrets,
  type SupportedModelSummary,
  shownValue,
  sourceWithoutSecret,
  uspPresence,
  withoutSecrets,
} from '../../domain/index.ts'
import type { Groups } from '../../groups/index.ts'
import type { ApiKey } from '../../security/index.ts'

/**
 * Devices as the API shows them, with all groups that they belong to: as static members, or by the selector of a group.
 */
export async function deviceViews(
  devices: Device[],
  groups: Pick<Groups, 'of'>,
  now: number,
): Promise<Record<string, unknown>[]> {
  const of = await groups.of(devices)
  return devices.map((device) => deviceView({ ...device, groups: of.get(device.id) ?? device.groups }, now))
}

/** A device as the API shows it: times as ISO 8601, presence derived, without internal fields. */
function deviceView(device: Device, now: number): Record<string, unknown> {
  const {
    work: _work,
    softwareVersionKey: _key,
    cwmp,
    usp,
    binding,
    readiness,
    migration,
    parametersCut,
    wan,
    optical,
    wifi,
    lan,
    system,
    factsVersion: _version,
    factsReadAt: _readAt,
    search: _search,
    createdAt,
    updatedAt,
    ...rest
  } = device
  const view: Record<string, unknown> = {
    ...rest,
    presence: { cwmp: cwmpPresence(device, now), usp: uspPresence(device) },
  }
  if (cwmp !== undefined) {
    const { informHash: _hash, notes: _notes, lastWake, discovery, subscriptions, ...facts } = cwmp
    view.cwmp = {
      ...withTimes(facts),
      ...(lastWake === undefined ? {} : { lastWake: withTimes(lastWake) }),
      ...(discovery === undefined ? {} : { discovery: withTimes(discovery) }),
      ...(subscriptions === undefined
        ? {}
        : { subscriptions: subscriptions.map(({ bootstrapAt: _at, ...subscription }) => subscription) }),
    }
  }
  if (usp !== undefined) {
    const { lastBootCause: _cause, lastBootKey: _key, ...shown } = usp
    const { lastSeenAt, connectedAt, disconnectedAt, lastBootAt, lastAnswerAt, lastDisconnect, ...facts } = shown
    view.usp = {
      ...facts,
      lastSeenAt: iso(lastSeenAt),
      ...times({ lastAnswerAt, connectedAt, disconnectedAt, lastBootAt }),
      ...(lastDisconnect === undefined ? {} : { lastDisconnect: withTimes(lastDisconnect) }),
    }
  }
  const shown = { wan: withUptime(wan, now), optical, wifi, lan, system: withUptime(system, now) }
  for (const [name, facts] of Object.entries(shown))
    if (facts !== undefined && Object.keys(facts).length > 0) view[name] = facts
  if (binding !== undefined) view.binding = { ...binding, at: iso(binding.at) }
  if (readiness !== undefined) view.readiness = { ...readiness, at: iso(readiness.at) }
  if (migration !== undefined) view.migration = { ...migration, at: iso(migration.at) }
  if (parametersCut !== undefined) view.parametersCut = { ...parametersCut, at: iso(parametersCut.at) }
  return { ...view, createdAt: iso(createdAt), updatedAt: iso(updatedAt) }
}

/** Facts with the seconds since which they hold. */
function withUptime(facts: { upSince?: number } | undefined, now: number): Record<string, unknown> | undefined {
  if (facts?.upSince === undefined) return facts === undefined ? undefined : { ...facts }
  const uptimeS = Math.max(0, Math.round((now - facts.upSince) / 1000))
  return { ...facts, upSince: iso(facts.upSince), uptimeS }
}

/** A parameter as the API shows it. A secret that was stored before its name was known as one is not shown. */
export function parameterView({ deviceId: _id, collectedAt, from, ...parameter }: Parameter): Record<string, unknown> {
  return {
    ...parameter,
    ...(from === undefined ? {} : { from: sourceWithoutSecret(parameter.path, from) }),
    value: isSecret(parameter.path) ? '' : shownValue(parameter.path, parameter.value),
    collectedAt: iso(collectedAt),
  }
}

/** An operation without the secrets of its request and result, which a reader of operations does not need. */
export function operationView(operation: Operation, waitingFor?: string): Record<string, unknown> {
  const {
    instance: _instance,
    baseline: _baseline,
    bootstrapAt: _bootstrap,
    thenRead: _thenRead,
    place: _place,
    request,
    result,
    ...rest
  } = operation
  const view: Record<string, unknown> = { ...withTimes(rest), request: withoutSecrets(request) }
  const { actor, idempotencyKey } = operation
  // The stored key begins with the actor.
  const before = `${actorText(actor)}:`
  if (idempotencyKey?.startsWith(before) === true) view.idempotencyKey = idempotencyKey.slice(before.length)
  if (waitingFor !== undefined) view.waitingFor = waitingFor
  if (result !== undefined) view.result = resultWithoutSecrets(result)
  return view
}

/** Operations as the API shows them; one that has not ended has the reason of its waiting. */
export async function operationViews(
  operations: readonly Operation[],
  engine: Pick<Operations, 'waitingFor'>,
): Promise<Record<string, unknown>[]> {
  const reasons = await engine.waitingFor(operations)
  return operations.map((operation) => operationView(operation, reasons.get(operation.id)))
}

/** A plan with the bulk work that goes on, without its position. */
export function planView({ bulk, gateBase: _base, ...plan }: Plan): Record<string, unknown> {
  const view = withTimes(plan)
  if (bulk !== undefined)
    view.underWay = bulk.map(({ kind, selector, paced, paused }) => ({
      kind,
      ...(selector === undefined ? {} : { selector }),
      ...(paced === undefined ? {} : { paced }),
      ...(paused === undefined ? {} : { paused }),
    }))
  const { host } = plan.settings.controller
  if (/^(localhost|127\.[\d.]+|\[?::1\]?)$/.test(host))
    view.warnings = [
      `settings.controller.host is ${host}: only devices on this machine reach it (see --usp-public-host)`,
    ]
  return view
}

/** A supported model without its objects, and whether it is used for other devices of the model. */
export function supportedModelView(model: SupportedModelSummary): Record<string, unknown> {
  return { ...withTimes(model), confirmed: isConfirmed(model) }
}

/** The coverage of a model with the share that is mapped. */
export function modelView(model: ModelCoverage): Record<string, unknown> {
  const { parameters, mapped } = model
  return { ...withTimes(model), mappedShare: parameters === 0 ? 0 : Math.round((mapped / parameters) * 1000) / 1000 }
}

/** An API key without the hash of its secret. */
export function apiKeyView({ hash: _hash, ...key }: ApiKey): Record<string, unknown> {
  return withTimes(key)
}

/** Returns a value with its number fields that are times as ISO 8601. */
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

export function iso(time: number): string {
  return new Date(time).toISOString()
}
