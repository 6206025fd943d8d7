import {
  applyQuirks,
  type DeviceWrite,
  isSearch,
  MappingRefusal,
  objectOf,
  type RawValue,
} from '../../datamodel/index.ts'
import {
  failedResult,
  NOT_APPLIED,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  resultOf,
} from '../../domain/index.ts'
import { draftOf, ownSources, refusalsOf, reportedType } from './draft.ts'
import { errorOfRead, valuesBelow } from './found.ts'
import type { OwnSide } from './own-side.ts'
import { refusal } from './refusal.ts'
import { searchBase, searched } from './search-values.ts'
import { sourcesOf, sourcesOfAll } from './sources.ts'

type ToSet = RequestFor<'set'>['values'][number]

/**
 * Writes parameters of TR-181 as the device takes them. Their sources are read before: values that the device shows
 * already are not sent, and those that share a parameter of it need what it has now.
 */
export async function set(own: OwnSide, request: RequestFor<'set'>): Promise<OperationResult> {
  const { values, failed } = await withoutSearch(own, request.values)
  const isLost = failed.some(({ optional }) => optional !== true) && request.allowPartial !== true
  if (values.length === 0 || isLost) return resultOf(failed)
  const { tree } = own
  const mapped = values.filter(({ path }) => own.isMapped(path))
  await own.read(await tree.whenRead(() => [...new Set(mapped.flatMap(({ path }) => sourcesOf(own, path)))]))
  const isFree = ({ required }: ToSet) => request.allowPartial === true || required === false
  const onDevice = (raw: readonly RawValue[]) => applyQuirks(raw, own.quirks, tree, reportedType(own))
  const draft = await draftOf(own, values, isFree, onDevice)
  if (draft instanceof MappingRefusal) {
    const reasons = await refusalsOf(own, values, draft, onDevice)
    const results = await own.tree.whenRead(() => values.map((value) => refusedWith(own, value, reasons)))
    return { ...failedResult(refusal(draft).error, [...failed, ...results]), own: own.reads() }
  }
  const optional = new Set(values.flatMap(({ path, required }) => (required === false ? [path] : [])))
  const written = await writeSteps(own, draft.write, request.allowPartial === true, optional)
  const open = new Map((await outcomesOfWrite(own, draft, written)).map((outcome) => [outcome.path, outcome]))
  const outcomes = values.flatMap((value): PathOutcome[] => {
    const refused = draft.refused.get(value.path)
    const outcome = refused === undefined ? open.get(value.path) : outcomeFor(value, refusal(refused))
    return outcome === undefined ? [] : [outcome]
  })
  return { ...resultOf([...failed, ...outcomes]), ...endOf(written), own: ownSet(own, draft.raw) }
}

/** The outcome of one value of a request that is refused as a whole: its own reason, or that of another value. */
function refusedWith(own: OwnSide, value: ToSet, reasons: ReadonlyMap<string, MappingRefusal>): PathOutcome {
  const reason = reasons.get(value.path)
  if (reason !== undefined) return outcomeFor(value, refusal(reason))
  const [source] = ownSources(own, value.path)
  const error = outcomeError(NOT_APPLIED, 'not written because another value was refused')
  return outcomeFor(value, {
    error,
    ...(source === undefined || source === value.path ? {} : { from: { path: source } }),
  })
}

/** The request as the device got it, with its answers above those of the reads. */
function ownSet(own: OwnSide, values: readonly RawValue[]): NonNullable<OperationResult['own']> {
  return { request: { verb: 'set', values: [...values], allowPartial: true }, results: [...own.results.values()] }
}

/** The answers to the writes of one request. */
interface Written {
  values: ReadonlyMap<string, RawValue>
  failures: ReadonlyMap<string, OutcomeError>
  /** The error of the write that failed as a whole. */
  error?: OutcomeError
  isLater: boolean
}

/**
 * Writes values in as many requests as the device needs; what follows one that failed is not sent. Parameters of the
 * device that the request names itself may be `optional`.
 */
export async function writeSteps(
  own: OwnSide,
  { steps, afterBoot }: Pick<DeviceWrite, 'steps' | 'afterBoot'>,
  allowPartial: boolean,
  optional: ReadonlySet<string> = new Set(),
): Promise<Written> {
  const done = new Map<string, RawValue>()
  const failures = new Map<string, OutcomeError>()
  let error: OutcomeError | undefined
  let isLater = false
  for (const step of steps) {
    const result = await own.write({ verb: 'set', values: step.map((value) => asAsked(value, optional)), allowPartial })
    isLater ||= result.output?.applied === 'later'
    for (const { path, value = '', error: failure } of result.results)
      if (failure === undefined) done.set(path, { path, value })
      else failures.set(path, failure)
    own.note(result.results.filter((outcome) => outcome.error === undefined))
    if (result.outcome === 'done') own.tree.add(step)
    else error ??= result.error
    if (error !== undefined && !allowPartial) break
  }
  return {
    values: done,
    failures,
    isLater: isLater || afterBoot.some((path) => done.has(path)),
    ...(error === undefined ? {} : { error }),
  }
}

function asAsked(value: RawValue, optional: ReadonlySet<string>): ToSet {
  return optional.has(value.path) ? { ...value, required: false } : { ...value }
}

/** Returns the remark on writes whose effect comes later (TR-069 A.3.2.1, Status 1). */
export function endOf({ isLater }: Written): Pick<OperationResult, 'output'> {
  return isLater ? { output: { applied: 'later' } } : {}
}

/** Returns what became of the values of a request by what became of the parameters behind them. */
export async function outcomesOfWrite(
  own: OwnSide,
  { open, unchanged }: { open: readonly Pick<ToSet, 'path' | 'value' | 'required'>[]; unchanged: readonly string[] },
  written: Written,
): Promise<PathOutcome[]> {
  const sources = new Map<string, readonly string[]>()
  for (const { path } of open) sources.set(path, await own.tree.whenRead(() => ownSources(own, path)))
  const asked = new Set([...sources.values()].flat())
  const beside = [...written.failures.keys()].filter((path) => !asked.has(path))
  return open.map((value) =>
    outcomeOfWrite(value, sources.get(value.path) ?? [], beside, written, unchanged.includes(value.path)),
  )
}

/**
 * Returns what became of one value. The parameter that is the reason goes before those that were not written because of
 * it, also where it is one `beside` them that nobody has asked for.
 */
function outcomeOfWrite(
  { path, value, required }: Pick<ToSet, 'path' | 'value' | 'required'>,
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
  return { path, ...from, error, ...(required === false ? { optional: true as const } : {}) }
}

function sentAs(raw: RawValue | undefined): { value?: string } {
  return raw === undefined ? {} : { value: raw.value }
}

function outcomeFor({ path, required }: ToSet, { error, from }: ReturnType<typeof refusal>): PathOutcome {
  return {
    path,
    error,
    ...(from === undefined ? {} : { from }),
    ...(required === false ? { optional: true as const } : {}),
  }
}

/** The values of a request, those of search paths for each parameter that they name now; and the paths that failed. */
async function withoutSearch(own: OwnSide, values: readonly ToSet[]) {
  const plain: ToSet[] = []
  const failed: PathOutcome[] = []
  for (const value of values) {
    if (!isSearch(value.path)) plain.push(value)
    else if (own.isMapped(value.path) || own.isMixed(value.path)) {
      const answers = await own.read(await own.tree.whenRead(() => sourcesOfAll(own, value.path)))
      const shown = await valuesBelow(own, searchBase(value.path))
      // Keys and passwords read blank: what the device has is written, whether it shows a value of it or not.
      const hasSource = (path: string) => own.mapping.sourceOfParameter(path, own.tree) !== undefined
      const found = await own.tree.whenRead(() => searched(value.path, shown, hasSource))
      const error = errorOfRead(answers)
      if (error !== undefined) failed.push(outcomeFor(value, { error }))
      else for (const path of found) plain.push({ ...value, path })
    } else {
      for (const { path, error } of await own.read([value.path]))
        if (error !== undefined && path === value.path) failed.push(outcomeFor(value, { error }))
        else plain.push({ ...value, path })
    }
  }
  return { values: plain, failed }
}
