import { FACT_GROUPS } from '../facts/live-facts.ts'
import type { Timestamp } from '../timestamp.ts'
import type { DevicePatch, UnsettableField } from './change.ts'
import type { CwmpFacts, Device } from './device.ts'

/** The record after a patch: what the store will hold, for use without another read. */
export function applyPatch(device: Device, patch: DevicePatch, now: Timestamp): Device {
  const next: Device & Record<string, unknown> = { ...device }
  const parts: Record<string, Record<string, unknown>> = {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue
    const dot = key.indexOf('.')
    if (dot < 0) {
      next[key] = value
      continue
    }
    const name = key.slice(0, dot)
    const part = parts[name] ?? {}
    part[key.slice(dot + 1)] = value
    parts[name] = part
  }
  next.updatedAt = now
  if (parts.cwmp !== undefined) next.cwmp = Object.assign({ ...(withWholeCwmp(device).cwmp ?? EMPTY_CWMP) }, parts.cwmp)
  if (parts.usp !== undefined) next.usp = Object.assign({ ...EMPTY_USP, ...device.usp }, parts.usp)
  if (parts.work !== undefined) next.work = Object.assign({ ...device.work }, parts.work)
  if (parts.factsReadAt !== undefined) next.factsReadAt = Object.assign({ ...device.factsReadAt }, parts.factsReadAt)
  for (const group of FACT_GROUPS)
    if (parts[group] !== undefined) next[group] = Object.assign({ ...device[group] }, parts[group])
  return next
}

/**
 * The record with all that the facts of CWMP always have. Where a record of USP alone is updated field by field, its first
 * contact over CWMP stores the time before the rest.
 */
export function withWholeCwmp(device: Device): Device {
  const cwmp: Partial<CwmpFacts> | undefined = device.cwmp
  if (cwmp === undefined || (cwmp.events !== undefined && cwmp.version !== undefined)) return device
  return { ...device, cwmp: { ...EMPTY_CWMP, ...cwmp } }
}

const EMPTY_CWMP: CwmpFacts = { lastInformAt: 0, events: [], version: '1.0' }
const EMPTY_USP = { linked: false, lastSeenAt: 0 }

/** Returns a record without fields, by their dotted names. */
export function withoutFields(device: Device, fields: readonly UnsettableField[]): Device {
  const next: Device & Record<string, unknown> = { ...device }
  for (const field of fields) {
    const [top = '', below] = field.split('.')
    const part = next[top]
    if (below === undefined) delete next[top]
    else if (typeof part === 'object' && part !== null)
      next[top] = Object.fromEntries(Object.entries(part).filter(([name]) => name !== below))
  }
  return next
}
