import type { Clock, Log } from '../../base/index.ts'
import {
  applyPatch,
  type Device,
  type DevicePatch,
  type DeviceStore,
  factsFrom,
  factsPatch,
  firmwareEvent,
  type RefreshRules,
  urgentSources,
} from '../../domain/index.ts'
import type { AuditEntry } from '../../security/index.ts'
import { SUPPORTED_VERSIONS } from '../wire/index.ts'
import type { AgentFacts } from './agent-facts.ts'
import type { AgentLink } from './agent-link.ts'
import { ensureSubscriptions } from './subscriptions.ts'
import type { SupportedModels } from './supported-models.ts'

interface OnboardingDeps {
  ownId: string
  devices: DeviceStore
  models: SupportedModels
  audit(entry: AuditEntry): Promise<void>
  periodicNotifIntervalS: number
  /** Absent: no Agent is asked to report sources of live facts. */
  factRules?: RefreshRules
  clock: Clock
  log: Log
  /** Called when an onboarded Agent has lost its onboarding state and subscriptions: its device was reset. */
  onReset(device: Device): Promise<void>
}

/**
 * Onboards an Agent whose identity was compared with the device: protocol versions, facts, the Controller row of this
 * server, the supported model, and subscriptions by ID. Safe to repeat; without changes since the last time it costs
 * one request. Updates the device of the link.
 */
export async function onboard(
  agent: AgentLink,
  device: Device,
  { parameters, ownRow }: AgentFacts,
  deps: OnboardingDeps,
): Promise<void> {
  const { clock, devices, models, onReset } = deps
  const now = clock.now()
  const patch: DevicePatch = {
    ...factsPatch(device, factsFrom(parameters.map(({ path, value }) => ({ name: path, value })))),
  }
  const known = applyPatch(device, patch, now)
  const firmware = known.softwareVersion ?? '?'
  const first = device.usp?.onboardedFor !== firmware
  if (first) patch['usp.versions'] = await negotiate(agent)
  const facts = await models.of(agent, known)
  const sources = await sourcesOf(device, deps)
  const { none, stands, lacking } = await ensureSubscriptions(agent, facts, { ...deps, first, now, sources })
  const before = device.usp?.onboardedFor !== undefined
  const complete = ownRow?.OnBoardingComplete
  // Without this parameter, a reset shows by the loss of the persistent subscriptions.
  const lost = none && device.usp?.subscribed === true
  const reset = before && (complete === undefined ? lost : /^(false|0)$/.test(complete))
  if (stands) patch['usp.subscribed'] = true
  if (reset && !first) patch['usp.versions'] = await negotiate(agent)
  if (lacking && facts?.own === false) {
    const own = await models.askAnew(agent, known)
    if (own !== undefined) await ensureSubscriptions(agent, own, { ...deps, first, now, sources })
  }
  if (!before || reset) await setOwnRow(agent, ownRow, deps)
  if (reset) await onReset(device)
  patch['usp.onboardedFor'] = firmware
  // A Notify may have reported it meanwhile.
  const changed = agent.isNewFirmware(patch.softwareVersion)
    ? firmwareEvent(device.id, 'usp', device, patch, now)
    : undefined
  await devices.commit({
    deviceId: device.id,
    set: patch,
    parameters: first || reset ? parameters : [],
    ...(changed === undefined ? {} : { events: [changed] }),
  })
  agent.update(patch, now)
}

/** The sources of facts, by the record as it is now, of a device that is written over USP. */
async function sourcesOf({ id }: Device, { devices, factRules }: OnboardingDeps): Promise<string[]> {
  const device = factRules === undefined ? undefined : await devices.get(id)
  return device?.owner === 'usp' && factRules !== undefined ? urgentSources(device, factRules) : []
}

async function negotiate(agent: AgentLink): Promise<string> {
  const reply = await agent.request('get_supported_protocol', {
    controller_supported_protocol_versions: SUPPORTED_VERSIONS,
  })
  return reply.ok ? reply.body.agent_supported_protocol_versions.slice(0, 64) : ''
}

/**
 * Sets interval and OnBoardingComplete in the row of this server, at first contact and after a factory reset. An
 * interval that an operator has set later is kept over firmware changes. No value is required, so that an Agent without
 * OnBoardingComplete takes the interval.
 */
async function setOwnRow(
  agent: AgentLink,
  shown: Record<string, string> | undefined,
  deps: OnboardingDeps,
): Promise<void> {
  if (agent.ownRow === '') return
  const settings = { PeriodicNotifInterval: String(deps.periodicNotifIntervalS), OnBoardingComplete: 'true' }
  const param_settings = Object.entries(settings)
    .filter(([param, value]) => shown?.[param] !== value)
    .map(([param, value]) => ({ param, value, required: false }))
  if (param_settings.length === 0) return
  const reply = await agent.request('set', {
    allow_partial: true,
    update_objs: [{ obj_path: agent.ownRow, param_settings }],
  })
  if (!reply.ok)
    deps.log.debug({ endpointId: agent.endpointId, reason: reply.error.err_msg }, 'own Controller row was not changed')
}
