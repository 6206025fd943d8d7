import { type DeviceWrite, MappingRefusal, objectOf, type RawValue } from '../../datamodel/index.ts'
import { NOT_APPLIED, type OperationResult, type OutcomeError, type PathOutcome } from '../../domain/index.ts'
import { type Draft, ownSources, type ToWrite } from './draft.ts'
import type { OwnSide } from './own-side.ts'
import { refusal } from './refusal.ts'

/** The outcomes of the values of a request, by their paths. */
interface ValuesWritten {
  outcomes: ReadonlyMap<string, PathOutcome>
  /** The error of the write that failed as a whole. */
  error?: OutcomeError
  /** True: some of it has its effect later. */
  isLater: boolean
}

/**
 * Writes the values of a draft, all parameters behind one value or none of them: half of a security mode, or a VLAN that
 * is on without its number, is nothing anybody asked for. Where the device refuses something the values that are not
 * free are written alone, then the free ones as far as it takes them: without those that its fault is about, or, when
 * it tells none, by halves. `redraft` makes the writes of some of the values.
 */
export async function writeValues<V extends ToWrite>(
  own: OwnSide,
  draft: Draft<V, DeviceWrite>,
  isFree: (value: V) => boolean,
  redraft: (values: readonly V[]) => Promise<Draft<V, DeviceWrite> | MappingRefusal>,
): Promise<ValuesWritten> {
  const outcomes = new Map<string, PathOutcome>()
  let isLater = false
  /** Resolves with the error, and with the values that are its reason. */
  async function write(some: Draft<V, DeviceWrite>) {
    const sources = await sourcesOfEach(own, some.open)
    let written = await writeSteps(own, some.write)
    const beside = besidesRefused(sources, written)
    // Free values do without the parameters that are written along, where the device refuses nothing else.
    if (beside.size > 0 && beside.size === reasonsOf(written).length && some.open.every(isFree)) {
      const steps = some.write.steps.map((step) => step.filter(({ path }) => !beside.has(path)))
      written = await writeSteps(own, { ...some.write, steps: steps.filter(({ length }) => length > 0) })
    }
    isLater ||= written.isLater
    const found = outcomesOfWrite(some, sources, written)
    for (const outcome of found) outcomes.set(outcome.path, outcome)
    const isReason = ({ error }: PathOutcome) => error !== undefined && error.code !== NOT_APPLIED
    return { error: written.error, refused: new Set(found.filter(isReason).map(({ path }) => path)) }
  }
  function refuse(values: readonly ToWrite[], reason: MappingRefusal): void {
    for (const { path, required } of values) outcomes.set(path, withRequired({ path, ...refusal(reason) }, required))
  }
  async function writeSome(values: readonly V[]): Promise<OutcomeError | undefined> {
    const next = values.length === 0 ? undefined : await redraft(values)
    if (next === undefined) return undefined
    if (next instanceof MappingRefusal) {
      refuse(values, next)
      return refusal(next).error
    }
    for (const value of values) {
      const reason = next.refused.get(value.path)
      if (reason !== undefined) refuse([value], reason)
    }
    const { error, refused } = await write(next)
    if (error !== undefined && values.every(isFree) && values.length > 1) await writeRest(values, refused)
    return error
  }
  async function writeRest(values: readonly V[], refused: ReadonlySet<string>): Promise<void> {
    const rest = values.filter(({ path }) => !refused.has(path))
    if (rest.length > 0 && rest.length < values.length) return void (await writeSome(rest))
    const half = Math.ceil(values.length / 2)
    await writeSome(values.slice(0, half))
    await writeSome(values.slice(half))
  }
  const { error, refused } = await write(draft)
  if (error === undefined) return { outcomes, isLater }
  const free = draft.open.filter(isFree)
  const firm = draft.open.filter((value) => !isFree(value))
  // The device has told which values it refuses, unless it refuses all of them.
  const isKnown = refused.size < draft.open.length || draft.open.length === 1
  if (free.length === 0 || (isKnown && firm.some(({ path }) => refused.has(path)))) return { outcomes, isLater, error }
  if (draft.open.length === 1) return { outcomes, isLater, error }
  const firmError = await writeSome(firm)
  if (firmError !== undefined) return { outcomes, isLater, error: firmError }
  await writeRest(free, refused)
  return { outcomes, isLater }
}

/** The answers to the writes of one request. */
interface Written {
  values: ReadonlyMap<string, RawValue>
  failures: ReadonlyMap<string, OutcomeError>
  /** The error of the write that failed as a whole. */
  error?: OutcomeError
  isLater: boolean
}

/** Writes values in as many requests as the device needs; what follows one that failed is not sent. */
async function writeSteps(own: OwnSide, { steps, afterBoot }: DeviceWrite): Promise<Written> {
  const done = new Map<string, RawValue>()
  const failures = new Map<string, OutcomeError>()
  let error: OutcomeError | undefined
  let isLater = false
  for (const step of steps) {
    const result = await own.write({ verb: 'set', values: step, allowPartial: false })
    isLater ||= result.output?.applied === 'later'
    for (const { path, value = '', error: failure } of result.results)
      if (failure === undefined) done.set(path, { path, value })
      else failures.set(path, failure)
    own.note(result.results.filter((outcome) => outcome.error === undefined))
    if (result.outcome === 'done') own.tree.add(step)
    else error = result.error
    if (error !== undefined) break
  }
  return {
    values: done,
    failures,
    isLater: isLater || afterBoot.some((path) => done.has(path)),
    ...(error === undefined ? {} : { error }),
  }
}

/** Returns the remark on writes whose effect comes later (TR-069 A.3.2.1, Status 1). */
export function endOf({ isLater }: Pick<ValuesWritten, 'isLater'>): Pick<OperationResult, 'output'> {
  return isLater ? { output: { applied: 'later' } } : {}
}

/** Parameters of the device by the paths of the values that they show. */
type Sources = ReadonlyMap<string, readonly string[]>

async function sourcesOfEach(own: OwnSide, values: readonly ToWrite[]): Promise<Sources> {
  const sources = new Map<string, readonly string[]>()
  for (const { path } of values) sources.set(path, await own.tree.whenRead(() => ownSources(own, path)))
  return sources
}

/** Returns the parameters that were refused, without those that were not written because of them. */
function reasonsOf({ failures }: Written): string[] {
  return [...failures].flatMap(([path, { code }]) => (code === NOT_APPLIED ? [] : [path]))
}

/** Returns the refused parameters that show none of the values, but were written along with them. */
function besidesRefused(sources: Sources, written: Written): ReadonlySet<string> {
  const asked = new Set([...sources.values()].flat())
  return new Set(reasonsOf(written).filter((path) => !asked.has(path)))
}

/** Returns what became of the values of a request by what became of the parameters behind them. */
function outcomesOfWrite(
  { open, unchanged }: Pick<Draft<ToWrite, DeviceWrite>, 'open' | 'unchanged'>,
  sources: Sources,
  written: Written,
): PathOutcome[] {
  const beside = [...besidesRefused(sources, written)]
  return open.map((value) =>
    outcomeOfWrite(value, sources.get(value.path) ?? [], beside, written, unchanged.includes(value.path)),
  )
}

/**
 * Returns what became of one value. The parameter that is the reason goes before those that were not written because of
 * it, also where it is one `beside` them that nobody has asked for.
 */
function outcomeOfWrite(
  { path, value, required }: ToWrite,
  sources: readonly string[],
  beside: readonly string[],
  written: Written,
  isUnchanged: boolean,
): PathOutcome {
  const failed = sources.filter((source) => written.failures.has(source))
  const objects = new Set(failed.map(objectOf))
  const isReason = (source: string) => written.failures.get(source)?.code !== NOT_APPLIED
  const reason = [...failed, ...beside.filter((other) => objects.has(objectOf(other)))].find(isReason)
  const own = reason ?? failed[0] ?? sources.find((source) => written.values.has(source))
  const from = own === undefined || own === path ? {} : { from: { path: own, ...sentAs(written.values.get(own)) } }
  const error = own === undefined ? (isUnchanged ? undefined : written.error) : written.failures.get(own)
  if (error === undefined) return { path, value, ...from }
  return withRequired({ path, ...from, error }, required)
}

function sentAs(raw: RawValue | undefined): { value?: string } {
  return raw === undefined ? {} : { value: raw.value }
}

/** Marks a failure that does not fail the request. */
function withRequired(outcome: PathOutcome, required: boolean | undefined): PathOutcome {
  return required === false ? { ...outcome, optional: true } : outcome
}
