import { isSecret, type Model } from '../../datamodel/index.ts'
import { shownValue } from '../operation/secrets.ts'
import type { ParameterWrite } from './parameter.ts'

/** Longest value of one parameter that is kept, in characters; boxes answer with whole files under one name at times. */
export const MAX_VALUE = 65_536

/**
 * A value that a box told, as the record may keep it; undefined when it is no value to be kept. Secrets are stored empty, whatever the box
 * shows, and the secret of a device in an MTP row is masked. A row of stars stands for something that is not told, and an empty SSID for a
 * radio that is off: neither overwrites what is known.
 */
export function storable(write: ParameterWrite, model?: Model): ParameterWrite | undefined {
  const { path, value } = write
  if (isSecret(path, model)) return value === '' ? write : { ...write, value: '' }
  if (value.length > MAX_VALUE || /^\*{3,}$/.test(value)) return undefined
  if (value === '' && path.endsWith('.SSID')) return undefined
  const shown = shownValue(path, value)
  return shown === value ? write : { ...write, value: shown }
}
