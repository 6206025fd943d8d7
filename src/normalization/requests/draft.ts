import { type DeviceWrite, MappingRefusal, planWrite, type RawValue, sameValue } from '../../datamodel/index.ts'
import type { RequestFor } from '../../domain/index.ts'
import type { OwnSide } from './own-side.ts'

/** A value of a request to write. */
export type ToWrite = Pick<RequestFor<'set'>['values'][number], 'path' | 'value' | 'required'>

/** The writes of a request, as the device takes them. */
export interface Draft<V, W> {
  /** The values of the request that are written, or shown already. */
  open: readonly V[]
  /** Paths of those that the device shows already. */
  unchanged: readonly string[]
  /** The same in parameters of the device, before its quirks. */
  raw: readonly RawValue[]
  write: W
  /** The refusals of the other values, by their paths. */
  refused: ReadonlyMap<string, MappingRefusal>
}

/**
 * Returns the writes of a request. `onDevice` gives parameters of the device the form in which its model takes them. When
 * they cannot be written all at once, the values that `isFree` says may be left out are tried one by one. Returns the
 * refusal of the request where even the others have no form on the device.
 */
export async function draftOf<V extends ToWrite, W extends DeviceWrite>(
  own: OwnSide,
  values: readonly V[],
  isFree: (value: V) => boolean,
  onDevice: (raw: readonly RawValue[]) => W,
): Promise<Draft<V, W> | MappingRefusal> {
  const whole = await own.attempt(() => plain(own, values, onDevice))
  if (!(whole instanceof MappingRefusal)) return whole
  const refused = new Map<string, MappingRefusal>()
  for (const value of values.filter(isFree)) {
    const alone = await own.attempt(() => plain(own, [value], onDevice))
    if (alone instanceof MappingRefusal) refused.set(value.path, alone)
  }
  if (refused.size === 0) return whole
  const open = values.filter(({ path }) => !refused.has(path))
  const rest = await own.attempt(() => plain(own, open, onDevice))
  return rest instanceof MappingRefusal ? rest : { ...rest, refused }
}

/** Rounds in which the refused values of one request are looked for. */
const MAX_ROUNDS = 16

/**
 * Returns the values that a request is refused for, by their paths, each with the reason. `whole` is the refusal of all
 * together. Values that another one allows are none of them, and two that contradict each other are both.
 */
export async function refusalsOf<V extends ToWrite, W extends DeviceWrite>(
  own: OwnSide,
  values: readonly V[],
  whole: MappingRefusal,
  onDevice: (raw: readonly RawValue[]) => W,
): Promise<ReadonlyMap<string, MappingRefusal>> {
  const alone = new Map<string, string>()
  for (const value of values) {
    const refusal = await own.attempt(() => plain(own, [value], onDevice))
    if (refusal instanceof MappingRefusal) alone.set(value.path, refusal.message)
  }
  const refused = new Map<string, MappingRefusal>()
  let [rest, reason]: [readonly V[], MappingRefusal] = [values, whole]
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const about = culprits(rest, reason, alone)
    for (const path of about) refused.set(path, reason)
    rest = rest.filter(({ path }) => !about.has(path))
    const open = rest
    const next = open.length === 0 ? undefined : await own.attempt(() => plain(own, open, onDevice))
    if (!(next instanceof MappingRefusal)) break
    reason = next
  }
  return refused
}

/** Returns the paths of the values that a refusal is about: refused alone the same way, or named in it; else all. */
function culprits(
  values: readonly ToWrite[],
  { message, source }: MappingRefusal,
  alone: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const words = new Set(message.split(/[\s,;:]+/))
  const same = values.filter(({ path }) => alone.get(path) === message)
  const named = values.filter(({ path }) => words.has(path) || path === source)
  const found = same.length > 0 ? same : named.length > 0 ? named : values
  return new Set(found.map(({ path }) => path))
}

function plain<V extends ToWrite, W extends DeviceWrite>(
  own: OwnSide,
  open: readonly V[],
  onDevice: (raw: readonly RawValue[]) => W,
): Draft<V, W> {
  const mapped = open.filter(({ path }) => own.isMapped(path))
  const { values, unchanged } = planWrite(own.mapping, mapped, own.tree, own.time, writable(own))
  const planned = new Map(values.map(({ path, value }) => [path, value]))
  for (const { path, value } of open) {
    if (own.isMapped(path)) continue
    if ((planned.get(path) ?? value) !== value)
      throw new MappingRefusal(`two values of the request are ${path} on the device and differ`, path)
    planned.set(path, value)
  }
  const raw = [...planned].map(([path, value]) => ({ path, value }))
  const write = onDevice(raw)
  const changed = open.filter(({ path }) => !unchanged.includes(path))
  refuseOmitted(own, changed, raw, write)
  return { open, unchanged, raw, write, refused: new Map() }
}

/** Throws MappingRefusal for a value of which nothing is sent, although the device does not show it. */
function refuseOmitted(
  own: OwnSide,
  values: readonly ToWrite[],
  raw: readonly RawValue[],
  { steps, omitted }: DeviceWrite,
): void {
  if (omitted.length === 0) return
  const typeOf = reportedType(own)
  const lost = new Set<string>()
  for (const { path, value } of raw) {
    const shown = own.tree.value(path)
    if (omitted.includes(path) && (shown === undefined || !sameValue(typeOf(path) ?? 'string', shown, value)))
      lost.add(path)
  }
  const sent = new Set(steps.flat().map(({ path }) => path))
  for (const { path } of values) {
    const sources = ownSources(own, path)
    const source = sources.find((source) => lost.has(source))
    if (source !== undefined && !sources.some((source) => sent.has(source)))
      throw new MappingRefusal(`${source} cannot be written: devices of this model take no value for it`, source)
  }
}

/** Returns the own parameters that show what became of a write: of one of the device's own, itself. */
export function ownSources(own: OwnSide, path: string): readonly string[] {
  return own.isMapped(path) ? own.mapping.sourcesOf(path, own.tree) : [path]
}

/** Returns the Writable flag that the device reported for an own parameter. */
export function writable(own: OwnSide): (path: string) => boolean | undefined {
  return (path) => own.tree.parameter(path)?.writable
}

/** Returns the type that the device reported for an own parameter. */
export function reportedType(own: OwnSide): (path: string) => string | undefined {
  return (path) => own.tree.parameter(path)?.type
}
