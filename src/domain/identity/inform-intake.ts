import { hash } from 'node:crypto'
import { isSecret } from '../../datamodel/index.ts'
import { applyPatch } from '../device/apply-patch.ts'
import type { DeviceChange, DevicePatch } from '../device/change.ts'
import { collected } from '../device/collected.ts'
import { type Device, newDevice } from '../device/device.ts'
import { type DeviceFacts, factsFrom, factsPatch, numberOf } from '../device/facts.ts'
import type { ParameterType } from '../device/parameter.ts'
import { hasLogin, shownValue, withoutLogin } from '../device/shown-value.ts'
import type { NewEvent } from '../feed/event.ts'
import { type DeviceId, type DeviceIdentity, deviceIdOf } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'

/** The content of an authenticated Inform, decoded. */
export interface InformFacts {
  identity: DeviceIdentity
  manufacturer: string
  /** Event codes with their CommandKeys. */
  events: { code: string; commandKey: string }[]
  parameters: { name: string; value: string; type: ParameterType }[]
  /** `1.0` to `1.4`. */
  version: string
  /** Failed attempts since the last session that succeeded; a boot sets it back to 0. */
  retryCount?: number
  remoteAddress?: string
}

/** Returns the change of the device that an Inform causes: one commit, durable before the InformResponse. */
export function informChange(device: Device | undefined, inform: InformFacts, now: Timestamp): DeviceChange {
  const id = deviceIdOf(inform.identity)
  const facts = factsFrom(inform.parameters)
  const codes = inform.events.map((event) => event.code)
  const { productClass } = inform.identity
  facts.manufacturer ??= inform.manufacturer
  const patch = factsPatch(device ?? newDevice(id, inform.identity, 'cwmp', now), facts)
  // ProductClass stands for ModelName until the CPE reports that.
  if (device === undefined && productClass !== '') patch.model ??= productClass
  addContact(patch, device?.cwmp, inform, facts, codes, now)
  const retries = inform.retryCount ?? 0
  if (retries !== (device?.cwmp?.retryCount ?? 0)) patch['cwmp.retryCount'] = retries
  const isKnown = isRepeated(device, inform, codes)
  if (!isKnown) Object.assign(patch, bootPatch(codes, now))
  const events = bootEvents(id, isKnown ? [] : codes, device, patch, now)
  const hash = informHash(inform)
  const change: DeviceChange = { deviceId: id }
  if (hash !== device?.cwmp?.informHash) {
    patch['cwmp.informHash'] = hash
    const values = inform.parameters.map(({ name, value, type }) => ({ path: name, value, type }))
    change.parameters = collected(values, { source: 'cwmp', collectedAt: now })
    // A retried Inform has the hash of the one before and reports nothing twice.
    if (hasEvent(codes, '4')) events.push(...valueChanges(id, inform, patch, now))
  }
  if (device === undefined) {
    change.create = applyPatch(newDevice(id, inform.identity, 'cwmp', now), patch, now)
    events.unshift({
      type: 'device.registered',
      at: now,
      deviceId: id,
      protocol: 'cwmp',
      data: { manufacturer: inform.manufacturer },
    })
  } else {
    change.set = patch
  }
  if (events.length > 0) change.events = events
  return change
}

/** Parameters that stand in every Inform (TR-181, TR-098 forced Inform parameters): their presence is no news. */
const FORCED_NAMES = [
  'RootDataModelVersion',
  'DeviceSummary',
  'SpecVersion',
  'HardwareVersion',
  'SoftwareVersion',
  'ProvisioningCode',
  'ConnectionRequestURL',
  'ParameterKey',
  'AliasBasedAddressing',
  'ExternalIPAddress',
]
const FORCED = new RegExp(`\\.(${FORCED_NAMES.join('|')})$`)
const MAX_CHANGES = 64

/**
 * Returns the changes that a `4 VALUE CHANGE` reports: all parameters beside the forced ones, and forced ones that
 * differ from the record.
 */
function valueChanges(deviceId: DeviceId, inform: InformFacts, patch: DevicePatch, now: Timestamp): NewEvent[] {
  const changed = new Set(Object.values(patch))
  return inform.parameters
    .filter(({ name, value }) => !FORCED.test(name) || (value !== '' && changed.has(withoutLogin(value))))
    .slice(0, MAX_CHANGES)
    .map(({ name, value }) => ({
      type: 'parameter.changed',
      at: now,
      deviceId,
      protocol: 'cwmp',
      data: { path: name, value: isSecret(name) ? '' : shownValue(name, value).slice(0, 256) },
    }))
}

/** Adds the fields of the contact to a patch; of what rarely changes only what differs from the record. */
function addContact(
  patch: DevicePatch,
  before: Device['cwmp'],
  inform: InformFacts,
  facts: DeviceFacts,
  codes: string[],
  now: Timestamp,
): void {
  patch['cwmp.lastInformAt'] = now
  const events = codes.slice(0, 64)
  if (before === undefined || events.join('\n') !== before.events.join('\n')) patch['cwmp.events'] = events
  if (inform.version !== before?.version) patch['cwmp.version'] = inform.version
  const { remoteAddress } = inform
  if (remoteAddress !== undefined && remoteAddress !== before?.remoteAddress)
    patch['cwmp.remoteAddress'] = remoteAddress
  const { connectionRequestUrl, parameterKey } = facts
  if (connectionRequestUrl !== undefined && connectionRequestUrl !== before?.connectionRequestUrl)
    patch['cwmp.connectionRequestUrl'] = connectionRequestUrl
  if (parameterKey !== undefined && parameterKey !== before?.parameterKey) patch['cwmp.parameterKey'] = parameterKey
  const interval = numberOf(facts.informIntervalS)
  if (interval !== undefined && interval !== before?.informIntervalS) patch['cwmp.informIntervalS'] = interval
}

/**
 * Returns true for an Inform that repeats the events of a failed session (TR-069 3.2.1.1): its boot is on record
 * already.
 */
function isRepeated(device: Device | undefined, inform: InformFacts, codes: string[]): boolean {
  const before = device?.cwmp?.events ?? []
  return (inform.retryCount ?? 0) > 0 && codes.every((code) => !isBoot(code) || before.includes(code))
}

function isBoot(code: string): boolean {
  return hasEvent([code], '0') || hasEvent([code], '1')
}

function bootPatch(codes: string[], now: Timestamp): DevicePatch {
  const patch: DevicePatch = {}
  if (hasEvent(codes, '1')) patch['cwmp.lastBootAt'] = now
  if (hasEvent(codes, '0')) {
    patch['cwmp.lastBootstrapAt'] = now
    patch['cwmp.discoveredFor'] = ''
  }
  return patch
}

/** True when an event with this leading token is in the list: `hasEvent(codes, '1')` finds `1 BOOT`. */
export function hasEvent(codes: string[], token: string): boolean {
  return codes.some((code) => code === token || code.startsWith(`${token} `))
}

/** Boot, bootstrap and firmware events that follow from an Inform or Boot!. */
function bootEvents(
  id: DeviceId,
  codes: string[],
  device: Device | undefined,
  patch: DevicePatch,
  now: Timestamp,
): NewEvent[] {
  const events: NewEvent[] = []
  const base = { at: now, deviceId: id, protocol: 'cwmp' as const }
  if (hasEvent(codes, '0')) events.push({ ...base, type: 'device.bootstrapped', data: {} })
  if (hasEvent(codes, '1')) events.push({ ...base, type: 'device.booted', data: {} })
  const changed = firmwareEvent(id, 'cwmp', device, patch, now)
  if (changed !== undefined) events.push(changed)
  return events
}

/** The event of a changed SoftwareVersion; undefined at first contact. */
export function firmwareEvent(
  id: DeviceId,
  protocol: 'cwmp' | 'usp',
  device: Device | undefined,
  patch: DevicePatch,
  now: Timestamp,
): NewEvent | undefined {
  if (device?.softwareVersion === undefined || patch.softwareVersion === undefined) return undefined
  return {
    type: 'device.firmwareChanged',
    at: now,
    deviceId: id,
    protocol,
    data: { from: device.softwareVersion, to: patch.softwareVersion },
  }
}

function informHash(inform: InformFacts): string {
  let text = ''
  for (const { name, value } of inform.parameters) {
    text += `${name}\0${value}\0`
    // Earlier versions kept such values as they came: with another hash they are written again.
    if (hasLogin(value)) text += 'masked\0'
  }
  return hash('md5', text, 'base64url')
}
