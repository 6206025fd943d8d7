import { isSecret, type Model } from '../../datamodel/index.ts'
import { shownValue } from '../operation/secrets.ts'
import type { ParameterWrite } from './parameter.ts'

/** Longest stored value of one parameter, in characters: some devices return whole files as a value. */
export const MAX_VALUE = 65_536

/**
 * Returns a reported value in the form in which the record keeps it; undefined when it is not to be kept. Secrets are
 * stored empty whatever the device shows, and the secret in a WebSocket path is masked. A row of stars stands for a
 * hidden value, and an empty SSID for a radio that is off: neither replaces a known value.
 */
export function storable(write: ParameterWrite, model?: Model): ParameterWrite | undefined {
  const { path, value } = write
  if (isSecret(path, model)) return value === '' ? write : { ...write, value: '' }
  if (value.length > MAX_VALUE || /^\*{3,}$/.test(value)) return undefined
  if (value === '' && path.endsWith('.SSID')) return undefined
  const shown = shownValue(path, value)
  return shown === value ? write : { ...write, value: shown }
}
