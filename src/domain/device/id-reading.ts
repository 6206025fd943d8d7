import { type DeviceId, deviceIdOf, encodePart, isDeviceId } from '../id.ts'

/** No text is read in more ways than this. */
const MAX_READINGS = 16

/**
 * Returns the device ids that a text can mean: the text itself when it is an id, else the ids whose percent signs were
 * decoded once too often on the way (`0C96BF-NB-7-S1` is `0C96BF-NB%2D7-S1` or `0C96BF-NB-7%2DS1`). Empty when it can
 * mean none.
 */
export function deviceIdsIn(text: string): DeviceId[] {
  if (isDeviceId(text)) return [text]
  const [oui = '', ...rest] = text.split('-')
  const found = new Set<DeviceId>()
  for (let end = 1; end < rest.length && found.size < MAX_READINGS; end++) {
    const productClass = rest.slice(0, end).join('-')
    const serial = rest.slice(end).join('-')
    for (const part of [decoded, asWritten]) {
      const id = idOf(oui, part(productClass), part(serial))
      if (id !== undefined) found.add(id)
    }
  }
  return [...found]
}

/**
 * Returns the beginnings of device ids that a text can mean, likewise: as it is, and with hyphens that belong to a
 * part.
 */
export function idPrefixesIn(text: string): string[] {
  const [oui = '', ...rest] = text.split('-')
  const asItIs = rest.length <= 2 && rest.every((part) => /^[A-Za-z0-9_%]*$/.test(part))
  const found = new Set(asItIs ? [text] : [])
  if (asItIs && rest.length < 2) return [text]
  const parts = rest.map(encodePart)
  found.add(`${oui}-${parts.join('%2D')}`)
  for (let end = 1; end < parts.length && found.size < MAX_READINGS; end++)
    found.add(`${oui}-${parts.slice(0, end).join('%2D')}-${parts.slice(end).join('%2D')}`)
  return [...found]
}

/**
 * Returns the Endpoint IDs that a text can mean: itself, and of scheme `ops` or `os` (TR-369 2.2) those whose parts
 * were decoded.
 */
export function endpointIdsIn(text: string): string[] {
  const match = /^(ops|os)::([^-]+)-(.+)$/.exec(text)
  if (match === null) return [text]
  const [, scheme = '', oui = '', rest = ''] = match
  const encoded =
    scheme === 'os' ? [`${oui}-${encodePart(decoded(rest))}`] : deviceIdsIn(`${oui}-${rest}`).slice(0, MAX_READINGS)
  return [...new Set([text, ...encoded.map((part) => `${scheme}::${part}`)])]
}

function idOf(oui: string, productClass: string, serial: string): DeviceId | undefined {
  try {
    return deviceIdOf({ oui, productClass, serial })
  } catch {
    return undefined
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function asWritten(text: string): string {
  return text
}
