import type { Model } from '../../datamodel/index.ts'
import {
  type Completion,
  collected,
  type DeviceChange,
  type DeviceId,
  factsFrom,
  factsPatch,
  firmwareEvent,
  type NewEvent,
} from '../../domain/index.ts'
import type { Notify } from '../wire/index.ts'
import { type AgentLink, uspError } from './agent-link.ts'
import { bounded, isPath, MAX_OUTPUT_TEXT } from './agent-texts.ts'
import { objectPath } from './outcome.ts'

/** The effect of a Notify: one change of the device, and the end of an operation where the Notify reports one. */
export interface NotifyEffect {
  change: DeviceChange
  completion?: Completion
  /** True when the CPE has rebooted: its facts and subscriptions are read again. */
  rebooted: boolean
  /** Set for Periodic!. */
  periodic?: true
  /** The path of a new row. */
  created?: string
  /**
   * The reason for which the Notify is not stored. It is acknowledged all the same, because a repetition would not be
   * stored either.
   */
  ignored?: string
}

/** Characters of the name of a command or event that are kept. */
const MAX_NAME = 1024
/** Characters of an Agent's texts that an event keeps. */
const MAX_EVENT_TEXT = 32 * 1024

/** Returns the effect of a Notify of a joined Agent. Repeating it does no harm. */
export function notifyEffect(
  agent: AgentLink,
  deviceId: DeviceId,
  notify: Notify,
  model: Model,
  now: number,
): NotifyEffect {
  const effect: NotifyEffect = { change: { deviceId }, rebooted: false }
  const events: NewEvent[] = []
  if (notify.value_change !== undefined) valueChange(agent, effect, events, notify.value_change, model, now)
  else if (notify.event !== undefined) event(effect, events, notify.event, now)
  else if (notify.oper_complete !== undefined) operComplete(effect, events, notify.oper_complete, now)
  else object(effect, events, notify, now)
  if (events.length > 0) effect.change.events = events
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
  const from = { source: 'usp' as const, collectedAt: now, modelOf: () => model }
  const values = isPath(param_path) && !param_path.endsWith('.') ? [{ path: param_path, value: param_value }] : []
  const [parameter] = collected(values, from)
  if (parameter === undefined) {
    effect.ignored = 'the path of the value is not valid, or the value is not stored'
    return
  }
  effect.change.parameters = [parameter]
  events.push({
    type: 'parameter.changed',
    at: now,
    deviceId,
    protocol: 'usp',
    data: { path: param_path, value: parameter.value.slice(0, 256) },
  })
  if (!param_path.startsWith('Device.DeviceInfo.')) return
  const patch = factsPatch(agent.device, factsFrom([{ name: param_path, value: param_value }]))
  if (Object.keys(patch).length === 0) return
  effect.change.set = patch
  const changed = agent.isNewFirmware(patch.softwareVersion)
    ? firmwareEvent(deviceId, 'usp', agent.device, patch, now)
    : undefined
  if (changed !== undefined) events.push(changed)
}

function object(
  effect: NotifyEffect,
  events: NewEvent[],
  { obj_creation, obj_deletion }: Pick<Notify, 'obj_creation' | 'obj_deletion'>,
  now: number,
): void {
  const path = objectPath((obj_creation ?? obj_deletion)?.obj_path ?? '')
  if (!isPath(path)) {
    effect.ignored = 'the path of the object is not valid'
    return
  }
  const base = { at: now, deviceId: effect.change.deviceId, protocol: 'usp' as const }
  if (obj_creation !== undefined) {
    events.push({
      ...base,
      type: 'object.created',
      data: { path, keys: bounded(obj_creation.unique_keys, MAX_EVENT_TEXT) },
    })
    effect.created = path
  } else {
    events.push({ ...base, type: 'object.deleted', data: { path } })
    if (/\.\d+\.$/.test(path)) effect.change.dropSubtrees = [path]
  }
}

function operComplete(
  effect: NotifyEffect,
  events: NewEvent[],
  { obj_path, command_name, command_key, req_output_args, cmd_failure }: NonNullable<Notify['oper_complete']>,
  now: number,
): void {
  const { deviceId } = effect.change
  const command = (objectPath(obj_path) + command_name).slice(0, MAX_NAME)
  const commandKey = command_key.slice(0, 256)
  events.push({
    type: 'device.notified',
    at: now,
    deviceId,
    protocol: 'usp',
    data: { command, commandKey, ok: cmd_failure === undefined },
  })
  effect.completion = { deviceId, protocol: 'usp', kind: 'command', commandKey, command, at: now }
  if (req_output_args !== undefined) effect.completion.output = bounded(req_output_args.output_args, MAX_OUTPUT_TEXT)
  if (cmd_failure !== undefined) effect.completion.fault = uspError(cmd_failure)
}

function event(
  effect: NotifyEffect,
  events: NewEvent[],
  { obj_path, event_name, params }: NonNullable<Notify['event']>,
  now: number,
): void {
  const { deviceId } = effect.change
  const base = { at: now, deviceId, protocol: 'usp' as const }
  const name = (objectPath(obj_path) + event_name).slice(0, MAX_NAME)
  const commandKey = (params.CommandKey ?? '').slice(0, 256)
  if (name === 'Device.Boot!') {
    effect.rebooted = true
    const cause = (params.Cause ?? '').trim().slice(0, 64)
    effect.change.set = { 'usp.lastBootAt': now, 'usp.lastBootCause': cause, 'usp.lastBootKey': commandKey }
    events.push({ ...base, type: 'device.booted', data: { cause } })
    effect.completion = {
      deviceId,
      protocol: 'usp',
      kind: 'boot',
      commandKey,
      cause,
      bootstrap: cause.includes('FactoryReset'),
      at: now,
    }
  } else if (name === 'Device.LocalAgent.TransferComplete!') {
    events.push({ ...base, type: 'device.notified', data: { event: name, params: bounded(params, MAX_EVENT_TEXT) } })
    effect.completion = { deviceId, protocol: 'usp', kind: 'transfer', commandKey, at: now }
    const fault = params.FaultCode?.trim() ?? ''
    if (fault !== '' && Number(fault) !== 0)
      effect.completion.fault = { code: fault, text: (params.FaultString ?? '').slice(0, 1024), retryable: true }
  } else if (name === 'Device.LocalAgent.Periodic!') {
    effect.periodic = true
  } else {
    events.push({ ...base, type: 'device.notified', data: { event: name, params: bounded(params, MAX_EVENT_TEXT) } })
  }
}
