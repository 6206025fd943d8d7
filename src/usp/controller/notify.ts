import type { Model } from '../../datamodel/index.ts'
import {
  type Completion,
  type DeviceChange,
  type DeviceId,
  factsFrom,
  factsPatch,
  firmwareEvent,
  type NewEvent,
  type ParameterWrite,
} from '../../device/index.ts'
import type { Notify } from '../wire/index.ts'
import { type AgentLink, uspError } from './agent-link.ts'

/** What a Notify means for us: one change of the device, and the end of an operation where it tells of one. */
export interface NotifyEffect {
  change: DeviceChange
  completion?: Completion
  /** The box has started again: its facts and subscriptions are looked at once more. */
  rebooted: boolean
}

const TOUCH_MS = 10_000

/** Turns a Notify of a joined Agent into its effect. Pure; repeating it does no harm. */
export function notifyEffect(
  agent: AgentLink,
  deviceId: DeviceId,
  notify: Notify,
  model: Model,
  now: number,
): NotifyEffect {
  const effect: NotifyEffect = { change: { deviceId }, rebooted: false }
  const base = { at: now, deviceId, protocol: 'usp' as const }
  const events: NewEvent[] = []
  if (notify.value_change !== undefined) valueChange(agent, effect, events, notify.value_change, model, now)
  else if (notify.event !== undefined) event(effect, events, notify.event, now)
  else if (notify.obj_creation !== undefined)
    events.push({
      ...base,
      type: 'object.created',
      data: { path: notify.obj_creation.obj_path, keys: notify.obj_creation.unique_keys },
    })
  else if (notify.obj_deletion !== undefined) {
    events.push({ ...base, type: 'object.deleted', data: { path: notify.obj_deletion.obj_path } })
    if (/^Device\..+\.\d+\.$/.test(notify.obj_deletion.obj_path))
      effect.change.dropSubtrees = [notify.obj_deletion.obj_path]
  } else if (notify.oper_complete !== undefined) {
    const { obj_path, command_name, command_key, req_output_args, cmd_failure } = notify.oper_complete
    events.push({
      ...base,
      type: 'device.notified',
      data: { command: obj_path + command_name, commandKey: command_key, ok: cmd_failure === undefined },
    })
    effect.completion = { deviceId, protocol: 'usp', kind: 'command', commandKey: command_key, at: now }
    if (req_output_args !== undefined) effect.completion.output = req_output_args.output_args
    if (cmd_failure !== undefined) effect.completion.fault = uspError(cmd_failure)
  }
  if (events.length > 0) effect.change.events = events
  // Presence of a talking Agent need not be newer than this; what must be committed is what it said.
  if (now - agent.touchedAt > TOUCH_MS || (events.length === 0 && effect.change.parameters === undefined)) {
    agent.touchedAt = now
    effect.change.set = { ...effect.change.set, 'usp.lastSeenAt': now }
  }
  return effect
}

function valueChange(
  agent: AgentLink,
  effect: NotifyEffect,
  events: NewEvent[],
  { param_path, param_value }: { param_path: string; param_value: string },
  model: Model,
  now: number,
): void {
  const { deviceId } = effect.change
  const parameter: ParameterWrite = {
    path: param_path,
    value: param_value,
    type: model.parameter(param_path)?.type ?? 'unknown',
    source: 'usp',
    collectedAt: now,
  }
  effect.change.parameters = [parameter]
  events.push({
    type: 'parameter.changed',
    at: now,
    deviceId,
    protocol: 'usp',
    data: { path: param_path, value: param_value.slice(0, 256) },
  })
  if (!param_path.startsWith('Device.DeviceInfo.')) return
  const patch = factsPatch(agent.device, factsFrom([{ name: param_path, value: param_value }]))
  if (Object.keys(patch).length === 0) return
  effect.change.set = patch
  const changed = firmwareEvent(deviceId, 'usp', agent.device, patch, now)
  if (changed !== undefined) events.push(changed)
}

function event(
  effect: NotifyEffect,
  events: NewEvent[],
  { obj_path, event_name, params }: { obj_path: string; event_name: string; params: Record<string, string> },
  now: number,
): void {
  const { deviceId } = effect.change
  const base = { at: now, deviceId, protocol: 'usp' as const }
  const name = obj_path + event_name
  const commandKey = params.CommandKey ?? ''
  if (name === 'Device.Boot!') {
    effect.rebooted = true
    effect.change.set = { 'usp.lastBootAt': now }
    const cause = params.Cause ?? ''
    events.push({ ...base, type: 'device.booted', data: { cause } })
    effect.completion = {
      deviceId,
      protocol: 'usp',
      kind: 'boot',
      commandKey,
      bootstrap: cause.includes('FactoryReset'),
      at: now,
    }
  } else if (name === 'Device.LocalAgent.TransferComplete!') {
    events.push({ ...base, type: 'device.notified', data: { event: name, params } })
    effect.completion = { deviceId, protocol: 'usp', kind: 'transfer', commandKey, at: now }
    const fault = params.FaultCode ?? '0'
    if (fault !== '0') effect.completion.fault = { code: fault, text: params.FaultString ?? '', retryable: true }
  } else if (name !== 'Device.LocalAgent.Periodic!') {
    events.push({ ...base, type: 'device.notified', data: { event: name, params } })
  }
}
