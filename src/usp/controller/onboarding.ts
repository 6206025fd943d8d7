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
  type SupportedModel,
  type SupportedModelStore,
} from '../../device/index.ts'
import type { AuditLog } from '../../security/index.ts'
import { SUPPORTED_VERSIONS, type SupportedObject } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import { ensureSubscriptions } from './subscriptions.ts'

export interface OnboardingDeps {
  ownId: string
  devices: DeviceStore
  supportedModels: SupportedModelStore
  audit: AuditLog
  periodicNotifIntervalS: number
  clock: Clock
  log: Log
}

const ACCESS = ['readOnly', 'addDelete', 'addOnly', 'deleteOnly'] as const
const TYPES = [
  'unknown',
  'base64',
  'boolean',
  'dateTime',
  'decimal',
  'hexBinary',
  'int',
  'long',
  'string',
  'unsignedInt',
  'unsignedLong',
]

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

/** The cache key of a supported model: the same make, model and firmware describes itself the same. */
export function modelKey(device: Device): string {
  return [device.manufacturer ?? '', device.model ?? device.productClass, device.softwareVersion ?? ''].join('|')
}

/**
 * What a Controller does when an Agent is there (TR-369 20): protocol versions, facts, its own row, the supported model (asked once per model
 * and firmware), subscriptions by ID. Safe to repeat; when nothing changed since last time it costs two requests. Answers the record after it.
 */
export async function onboard(agent: AgentLink, device: Device, deps: OnboardingDeps): Promise<Device> {
  const { clock, devices } = deps
  const facts = await readFacts(agent, deps.ownId)
  const now = clock.now()
  const patch: DevicePatch = {
    ...factsPatch(device, factsFrom(facts.parameters.map(({ path, value }) => ({ name: path, value })))),
  }
  const known = applyPatch(device, patch, now)
  const firmware = known.softwareVersion ?? '?'
  const first = device.usp?.onboardedFor !== firmware
  if (first) patch['usp.versions'] = await negotiate(agent)
  const supported = await supportedModel(agent, known, deps)
  await ensureSubscriptions(agent, facts.ownRow, supported, deps.audit, now)
  if (first) await settleOwnRow(agent, facts.ownRow, deps)
  patch['usp.onboardedFor'] = firmware
  const changed = firmwareEvent(device.id, 'usp', device, patch, now)
  await devices.commit({
    deviceId: device.id,
    set: patch,
    parameters: first ? facts.parameters : [],
    ...(changed === undefined ? {} : { events: [changed] }),
  })
  return applyPatch(device, patch, now)
}

/** One Get: DeviceInfo (one level) and our own Controller row. */
async function readFacts(agent: AgentLink, ownId: string): Promise<{ parameters: ParameterWrite[]; ownRow: string }> {
  const ownPath = `Device.LocalAgent.Controller.[EndpointID==${quoteConstant(ownId)}].`
  const reply = await agent.request('get', {
    param_paths: ['Device.DeviceInfo.', 'Device.RootDataModelVersion', ownPath],
    max_depth: 1,
  })
  if (!reply.ok) throw new ProtocolError('onboarding', `the Agent refused to show its facts: ${reply.error.err_msg}`)
  let ownRow = ''
  const parameters: ParameterWrite[] = []
  const collectedAt = Date.now()
  for (const result of reply.body.req_path_results) {
    for (const { resolved_path, result_params } of result.resolved_path_results) {
      if (result.requested_path === ownPath) {
        ownRow ||= resolved_path
        continue
      }
      for (const [name, value] of Object.entries(result_params))
        parameters.push({ path: resolved_path + name, value, type: 'unknown', source: 'usp', collectedAt })
    }
  }
  return { parameters, ownRow }
}

async function negotiate(agent: AgentLink): Promise<string> {
  const reply = await agent.request('get_supported_protocol', {
    controller_supported_protocol_versions: SUPPORTED_VERSIONS,
  })
  return reply.ok ? reply.body.agent_supported_protocol_versions.slice(0, 64) : ''
}

async function supportedModel(
  agent: AgentLink,
  device: Device,
  { supportedModels, clock, log }: OnboardingDeps,
): Promise<SupportedModel | undefined> {
  const key = modelKey(device)
  const cached = await supportedModels.get(key)
  if (cached !== undefined) return cached
  const ask = {
    obj_paths: ['Device.'],
    first_level_only: false,
    return_commands: true,
    return_events: true,
    return_params: true,
    return_unique_key_sets: true,
  }
  const reply = await agent.request('get_supported_dm', ask)
  if (!reply.ok) {
    log.warn({ deviceId: device.id, reason: reply.error.err_msg }, 'the Agent does not describe its data model')
    return undefined
  }
  const objects = reply.body.req_obj_results.flatMap((result) => result.supported_objs).map(supportedObject)
  const model: SupportedModel = { key, objects, at: clock.now() }
  await supportedModels.put(model)
  return model
}

function supportedObject(object: SupportedObject): SupportedModel['objects'][number] {
  return {
    path: object.supported_obj_path,
    access: ACCESS[object.access] ?? 'readOnly',
    multi: object.is_multi_instance,
    params: object.supported_params.map((param) => ({
      name: param.param_name,
      writable: param.access !== 0,
      readable: param.access !== 2,
      type: TYPES[param.value_type] ?? 'unknown',
    })),
    commands: object.supported_commands.map((command) => ({
      name: command.command_name,
      async: command.command_type === 2,
      input: command.input_arg_names,
      output: command.output_arg_names,
    })),
    events: object.supported_events.map((event) => ({ name: event.event_name, args: event.arg_names })),
    uniqueKeys: object.unique_key_sets.map((set) => set.key_names),
  }
}

/** Not required, so that an older Agent without OnBoardingComplete keeps the rest. */
async function settleOwnRow(agent: AgentLink, ownRow: string, deps: OnboardingDeps): Promise<void> {
  if (ownRow === '') return
  const settings = { PeriodicNotifInterval: String(deps.periodicNotifIntervalS), OnBoardingComplete: 'true' }
  const param_settings = Object.entries(settings).map(([param, value]) => ({ param, value, required: false }))
  const reply = await agent.request('set', { allow_partial: true, update_objs: [{ obj_path: ownRow, param_settings }] })
  if (!reply.ok)
    deps.log.debug({ endpointId: agent.endpointId, reason: reply.error.err_msg }, 'own Controller row was not changed')
}
