import { ProtocolError } from '../../base/index.ts'
import type { EndpointId } from '../../domain/index.ts'

/** Authority schemes of TR-369 2.2 and what their authority-id looks like. */
const SCHEMES: Readonly<Record<string, RegExp>> = {
  oui: /^[0-9A-Fa-f]{6}$|^[0-9A-Fa-f]{7}$|^[0-9A-Fa-f]{9}$/,
  cid: /^[0-9A-Fa-f]{6}$/,
  pen: /^\d{1,10}$/,
  self: /^[\w.~-]{0,6}$/,
  user: /^[\w.~-]{0,6}$/,
  os: /^$/,
  ops: /^$/,
  uuid: /^$/,
  imei: /^$/,
  fqdn: /^$/,
  proto: /^[\w~-]{0,6}$/,
  doc: /^[\w.~-]{0,6}$/,
}

/**
 * Checks an Endpoint ID: `scheme:authority:instance`. The instance may be longer than the 50 characters of the rule,
 * because percent-encoded serial numbers are. Throws ProtocolError `endpointId` with the reason.
 */
export function parseEndpointId(text: string): EndpointId {
  const [scheme = '', authority = '', ...rest] = text.split(':')
  const instance = rest.join(':')
  // A name that every object has is no scheme.
  const rule = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (text.length > 256 || rest.length === 0)
    throw new ProtocolError(
      'endpointId',
      `${JSON.stringify(text.slice(0, 80))} is no Endpoint ID (scheme:authority:instance)`,
    )
  if (rule === undefined)
    throw new ProtocolError('endpointId', `Endpoint ID scheme ${JSON.stringify(scheme.slice(0, 20))} is not known`)
  if (!rule.test(authority))
    throw new ProtocolError(
      'endpointId',
      `authority ${JSON.stringify(authority.slice(0, 20))} does not fit scheme ${scheme}`,
    )
  if (!/^(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+$/.test(instance))
    throw new ProtocolError('endpointId', 'the instance part of an Endpoint ID is letters, digits, - . _ or %HH')
  return text as EndpointId
}
