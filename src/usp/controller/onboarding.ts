import { type Clock, type Log, ProtocolError } from '../../base/index.ts'
import { quoteConstant } from '../../datamodel/index.ts'
import {
  applyPatch,
  type Device,
  type DeviceIdentity,
  type DevicePatch,
  type DeviceStore,
  factsFrom,
  factsPatch,
  firmwareEvent,
  type ParameterWrite,
  storable,
} from '../../device/index.ts'
import type { AuditLog } from '../../security/index.ts'
import { type GetResp, SUPPORTED_VERSIONS } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import { objectPath } from './outcome.ts'
import { ensureSubscriptions } from './subscriptions.ts'
import type { SupportedModels } from './supported-models.ts'

export interface OnboardingDeps {
  ownId: string
  devices: DeviceStore
  models: SupportedModels
  audit: AuditLog
  periodicNotifIntervalS: number
  clock: Clock
  log: Log
}

const MAX_FACTS = 200
const MAX_FACT = 4096
const CONTROLLERS = 'Device.LocalAgent.Controller.'
const OWN_ROW = /^Device\.LocalAgent\.Controller\.\d+\.$/

/** oui, class and serial as Device.DeviceInfo. shows them; ProtocolError when the Agent does not tell. */
export async function readIdentity(agent: AgentLink): Promise<DeviceIdentity> {
  const names = ['ManufacturerOUI', 'ProductClass', 'SerialNumber']
  const reply = await agent.request('get', {
    param_paths: names.map((name) => `Device.DeviceInfo.${name}`),
    max_depth: 0,
  })
  const values = reply.ok ? reply.body.req_path_results.flatMap((result) => result.resolved_path_results) : []
  const value = (name: string) =>
    values.map((row) => row.result_params[name]).find((found) => found !== undefined) ?? ''
  const identity = { oui: value('ManufacturerOUI'), productClass: value('ProductClass'), serial: value('SerialNumber') }
  if (identity.oui === '' || identity.serial === '')
    throw new ProtocolError('identity', 'the Agent does not tell its OUI and serial number')
  return identity
}

/**
 * What a Controller does when an Agent is there (TR-369 20): protocol versions, facts, its own row, the supported model (asked once per model
 * and firmware), subscriptions by ID. Safe to repeat; when nothing changed since last time it costs two requests. Brings `agent.device` up to
 * date.
 */
export async function onboard(agent: AgentLink, device: Device, deps: OnboardingDeps): Promise<void> {
  const { clock, devices, models } = deps
  const { parameters, ownRow } = await readFacts(agent, deps)
  const now = clock.now()
  const patch: DevicePatch = {
    ...factsPatch(device, factsFrom(parameters.map(({ path, value }) => ({ name: path, value })))),
  }
  const known = applyPatch(device, patch, now)
  const firmware = known.softwareVersion ?? '?'
  const first = device.usp?.onboardedFor !== firmware
  if (first) patch['usp.versions'] = await negotiate(agent)
  const facts = await models.of(agent, known)
  await ensureSubscriptions(agent, facts, { ...deps, first, now })
  await settleOwnRow(agent, ownRow, first, deps)
  patch['usp.onboardedFor'] = firmware
  const changed = firmwareEvent(device.id, 'usp', device, patch, now)
  await devices.commit({
    deviceId: device.id,
    set: patch,
    parameters: first ? parameters : [],
    ...(changed === undefined ? {} : { events: [changed] }),
  })
  // A Notify may have told more meanwhile.
  agent.device = applyPatch(agent.device ?? device, patch, now)
}

interface Facts {
  parameters: ParameterWrite[]
  /** What our own Controller row shows; undefined when it shows nothing. */
  ownRow: Record<string, string> | undefined
}

/** DeviceInfo (one level) and our own Controller row: one Get, or one each for Agents that refuse a Message for one of its paths. */
async function readFacts(agent: AgentLink, { ownId, clock }: OnboardingDeps): Promise<Facts> {
  const ownPath = `${CONTROLLERS}[EndpointID==${quoteConstant(ownId)}].`
  const results = await readEach(agent, ['Device.DeviceInfo.', 'Device.RootDataModelVersion', ownPath])
  const parameters: ParameterWrite[] = []
  let own: { path: string; params: Record<string, string> } | undefined
  const collectedAt = clock.now()
  for (const result of results) {
    for (const { resolved_path, result_params } of result.resolved_path_results) {
      const object = objectPath(resolved_path)
      if (object.startsWith(CONTROLLERS)) {
        // The rows below it are shown too by Agents that do not know depths.
        if (OWN_ROW.test(object) && (result_params.EndpointID ?? ownId) === ownId)
          own ??= { path: object, params: result_params }
        continue
      }
      // Nor is more taken in than belongs to these two objects.
      if (object !== 'Device.' && object !== 'Device.DeviceInfo.') continue
      for (const [name, value] of Object.entries(result_params)) {
        if (parameters.length >= MAX_FACTS || !/^[\w-]{1,64}$/.test(name) || value.length > MAX_FACT) continue
        const write = storable({ path: object + name, value, type: 'unknown', source: 'usp', collectedAt })
        if (write !== undefined) parameters.push(write)
      }
    }
  }
  agent.ownRow = own?.path ?? (await findOwnRow(agent, ownId))
  return { parameters, ownRow: own?.params }
}

async function readEach(agent: AgentLink, paths: string[]): Promise<GetResp['req_path_results']> {
  const together = await agent.request('get', { param_paths: paths, max_depth: 1 })
  if (together.ok) return together.body.req_path_results
  const results: GetResp['req_path_results'] = []
  for (const path of paths) {
    const reply = await agent.request('get', { param_paths: [path], max_depth: 1 })
    if (reply.ok) results.push(...reply.body.req_path_results)
  }
  return results
}

/** Our row where an Agent does not find it by the expression: among all that it shows. */
async function findOwnRow(agent: AgentLink, ownId: string): Promise<string> {
  const reply = await agent.request('get', { param_paths: [`${CONTROLLERS}*.EndpointID`], max_depth: 0 })
  const rows = reply.ok ? reply.body.req_path_results.flatMap((result) => result.resolved_path_results) : []
  const own = rows.find((row) => row.result_params.EndpointID === ownId)
  return own === undefined ? '' : objectPath(own.resolved_path)
}

async function negotiate(agent: AgentLink): Promise<string> {
  const reply = await agent.request('get_supported_protocol', {
    controller_supported_protocol_versions: SUPPORTED_VERSIONS,
  })
  return reply.ok ? reply.body.agent_supported_protocol_versions.slice(0, 64) : ''
}

/**
 * Our own row as we want it: at first contact, and when the row says that onboarding is not complete, as after a factory reset. An interval that
 * an operator has set since then stays. Not required, so that an older Agent without OnBoardingComplete keeps the rest.
 */
async function settleOwnRow(
  agent: AgentLink,
  shown: Record<string, string> | undefined,
  first: boolean,
  deps: OnboardingDeps,
): Promise<void> {
  const fresh = first || /^(false|0)$/.test(shown?.OnBoardingComplete ?? '')
  if (agent.ownRow === '' || !fresh) return
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
