import { AppError, ProtocolError } from '../../../base/index.ts'
import { type DeviceId, type DeviceIdentity, deviceIdOf, hasEvent, type InformFacts } from '../../../domain/index.ts'
import { type CwmpEnvelope, type DeviceIdStruct, type RequestOf, versionOfUrn } from '../../wire/index.ts'
import type { ParameterTypes } from '../session/values.ts'

const SUPPORTED_VERSIONS = ['1.4', '1.3', '1.2', '1.1', '1.0']

/** Parameters of an Inform around whose values white space is the indentation of the sender. */
const PLAIN = /\.(DeviceInfo\.(Software|Hardware|Spec)Version|ManagementServer\.ConnectionRequestURL)$/

/** Returns the content of an Inform as facts for the record. */
export function informFacts(
  inform: RequestOf<'Inform'>,
  envelope: CwmpEnvelope,
  address: string,
  types: ParameterTypes,
): InformFacts {
  return {
    identity: identityOf(inform.DeviceId),
    manufacturer: inform.DeviceId.Manufacturer,
    events: inform.Event.map((event) => ({ code: event.EventCode, commandKey: event.CommandKey })),
    parameters: inform.ParameterList.map(({ name, value, type }) => ({
      name,
      value: PLAIN.test(name) ? value.trim() : value,
      type: types.typeOf(name, type),
    })),
    version: versionOfUrn(envelope.urn),
    retryCount: inform.RetryCount,
    ...(address === '' ? {} : { remoteAddress: address }),
  }
}

/** The identity that a DeviceIdStruct gives. */
export function identityOf({ OUI, ProductClass, SerialNumber }: DeviceIdStruct): DeviceIdentity {
  return { oui: OUI, productClass: ProductClass, serial: SerialNumber }
}

/** The id, or what is wrong with the identity. */
export function idOf(identity: DeviceIdentity): DeviceId | ProtocolError {
  try {
    return deviceIdOf(identity)
  } catch (cause) {
    if (cause instanceof AppError) return new ProtocolError('identity', cause.message, { cause })
    throw cause
  }
}

/** The highest version both know, or what the namespace implies when the CPE lists none. */
export function chooseVersion(envelope: CwmpEnvelope): string | undefined {
  const listed = envelope.header.supportedCwmpVersions
  if (listed === undefined) return versionOfUrn(envelope.urn)
  const theirs = listed.split(',').map((version) => version.trim())
  return SUPPORTED_VERSIONS.find((version) => theirs.includes(version))
}

/**
 * Returns the CommandKeys of the transfers that have ended (TR-069 3.7.1.5: `M Download` and `M Upload` have them). Some
 * CPE have them there alone, and an empty one in TransferComplete.
 */
export function transferKeysOf({ events }: InformFacts): string[] {
  return events.flatMap(({ code, commandKey }) =>
    /^\s*M (Down|Up)load\s*$/.test(code) && commandKey.trim() !== '' ? [commandKey.trim()] : [],
  )
}

/** A CPE that only reports in leaves after the InformResponse (14 HEARTBEAT, TR-069 3.7.1.5). */
export function isHeartbeat(facts: InformFacts): boolean {
  return facts.events.length > 0 && facts.events.every(({ code }) => hasEvent([code], '14'))
}

/** Returns the header of an answer: the id of the request; a request without one is answered without one (3.4.7). */
export function replyHeader(envelope: CwmpEnvelope): { id?: string; useCwmpVersion?: string } {
  return envelope.header.id === undefined ? {} : { id: envelope.header.id }
}
