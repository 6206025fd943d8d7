import { isSecret, type Model } from '../../datamodel/index.ts'
import type { DeviceId } from '../id.ts'
import type { Timestamp } from '../timestamp.ts'
import type { DeviceChange } from './change.ts'
import type { ParameterSource, ParameterType, ParameterWrite } from './parameter.ts'
import { shownPlain } from './shown-value.ts'

/** Longest value of one parameter that is kept, in characters; some devices answer with whole files under one name. */
const MAX_VALUE = 65_536
/** Parameters in one commit, which takes some milliseconds; a larger result becomes several. */
export const PARAMETERS_PER_COMMIT = 1000

/** Longest path that is kept, in characters; CWMP has 256 (TR-069 A.3.2.1). */
const MAX_PATH = 1024

/** Characters without a form, or that turn the text around them: no name of any model has them. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
/** The characters that nearly all names have, which is found sooner. */
const USUAL = /^[ -~]*$/

/** A value as a device gave it: of an answer, a Notify or an Inform. */
export interface CollectedValue {
  path: string
  /** Absent: the answer names the path alone. */
  value?: string | undefined
  type?: ParameterType | undefined
  writable?: boolean | undefined
}

/** The source of values, and the model that has their types and marks secrets. */
interface Collection {
  source: ParameterSource
  collectedAt: Timestamp
  modelOf?(path: string): Model | undefined
}

/**
 * Returns the values that the record keeps, in order; those without a value and those that `storable` refuses are left
 * out.
 */
export function collected(
  values: Iterable<CollectedValue>,
  { source, collectedAt, modelOf }: Collection,
): ParameterWrite[] {
  const kept: ParameterWrite[] = []
  for (const { path, value, type, writable } of values) {
    if (value === undefined) continue
    const model = modelOf?.(path)
    const write: ParameterWrite = {
      path,
      value,
      type: type ?? model?.parameter(path)?.type ?? 'unknown',
      source,
      collectedAt,
    }
    if (writable !== undefined) write.writable = writable
    const stored = storable(write, model)
    if (stored !== undefined) kept.push(stored)
  }
  return kept
}

/** Returns the changes that bring parameters into the record of a device, each with as many as one commit takes. */
export function parameterChanges(deviceId: DeviceId, parameters: ParameterWrite[]): DeviceChange[] {
  const changes: DeviceChange[] = []
  for (let i = 0; i < parameters.length; i += PARAMETERS_PER_COMMIT)
    changes.push({ deviceId, parameters: parameters.slice(i, i + PARAMETERS_PER_COMMIT) })
  return changes
}

/**
 * Returns a value as the record may keep it; undefined when it is no value to be kept. Secrets are stored empty,
 * whatever the device shows (`secret`: the parameter is known to be one or none), and the secret of a device in an MTP
 * row is masked. A row of stars stands for a value that is not shown, and an empty SSID for a radio that is off: neither
 * overwrites what is known.
 */
export function storable(
  write: ParameterWrite,
  model?: Model,
  secret = isSecret(write.path, model),
): ParameterWrite | undefined {
  const { path, value } = write
  if (path.length > MAX_PATH || (!USUAL.test(path) && UNSEEN.test(path))) return undefined
  if (secret) return value === '' ? write : { ...write, value: '' }
  if (value.length > MAX_VALUE || /^\*{3,}$/.test(value)) return undefined
  if (value === '' && path.endsWith('.SSID')) return undefined
  const shown = shownPlain(path, value)
  return shown === value ? write : { ...write, value: shown }
}
