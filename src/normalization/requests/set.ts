import { applyQuirks, isSearch, MappingRefusal, type RawValue } from '../../datamodel/index.ts'
import {
  failedResult,
  NOT_APPLIED,
  type OperationResult,
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
import { endOf, writeValues } from './write-values.ts'

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
  const { outcomes: open, ...end } = await writeValues(own, draft, isFree, (some) =>
    draftOf(own, some, isFree, onDevice),
  )
  const outcomes = values.flatMap((value): PathOutcome[] => {
    const refused = draft.refused.get(value.path)
    const outcome = refused === undefined ? open.get(value.path) : outcomeFor(value, refusal(refused))
    return outcome === undefined ? [] : [outcome]
  })
  return { ...resultOf([...failed, ...outcomes]), ...endOf(end), own: ownSet(own, draft.raw) }
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
