import { isSearch } from '../../datamodel/index.ts'
import { type OperationResult, outcomeError, type PathOutcome, type RequestFor, resultOf } from '../../domain/index.ts'
import { ABSENT } from '../tree/paths.ts'
import { errorAbout, exactOutcomes, type Shown, valuesBelow } from './found.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase, searched } from './search-values.ts'
import { outermost, sourcesOf, sourcesOfAll } from './sources.ts'

/**
 * Reads parameters and objects of TR-181 by what is behind them in the device's own tree, in one request, and own search
 * paths each in a request of its own: its answers are those of the path.
 */
export async function get(own: OwnSide, request: RequestFor<'get'>): Promise<OperationResult> {
  const { tree } = own
  const isOwn = (path: string) => !own.isMixed(path) && !own.isMapped(path)
  const plain = request.paths.filter((path) => isOwn(path) && !isSearch(path))
  const mapped = request.paths.filter((path) => !isOwn(path))
  const asked = new Map((await tree.whenReadEach(mapped, asks)).map((each, i) => [mapped[i], each]))
  function asks(path: string): string[] {
    if (own.isMixed(path)) return sourcesOfAll(own, path)
    return isSearch(path) || path.endsWith('.') ? sourcesOfAll(own, path) : sourcesOf(own, path)
  }
  const sources = [...new Set([...plain, ...outermost([...asked.values()].flat())])]
  // First, as an answer of many values is stored in parts, in its order.
  const beside = await tree.whenRead(() => own.mapping.readWith(sources, tree))
  const answers = await own.read([...new Set([...beside, ...sources])])
  const exact = request.paths.filter((path) => own.isMapped(path) && !isSearch(path) && !path.endsWith('.'))
  const found = new Map((await exactOutcomes(own, exact)).map((outcome) => [outcome.path, outcome]))
  const results = new Map<string, PathOutcome>()
  for (const path of request.paths) {
    const outcome = found.get(path)
    const error = outcome === undefined ? errorAbout(asked.get(path) ?? [], answers) : undefined
    if (outcome !== undefined) results.set(path, outcome)
    else if (error !== undefined) results.set(path, { path, error })
    else for (const one of await outcomesOf(own, path, request.maxDepth)) results.set(one.path, one)
  }
  return { ...resultOf([...results.values()]), own: own.reads() }
}

async function outcomesOf(own: OwnSide, path: string, maxDepth = 0): Promise<PathOutcome[]> {
  const isOwn = !own.isMapped(path) && !own.isMixed(path)
  if (isOwn && isSearch(path)) return [...(await own.read([path]))]
  if (isOwn) {
    const isBelow = (found: string) => found === path || (path.endsWith('.') && found.startsWith(path))
    return [...own.results.values()].filter((outcome) => isBelow(outcome.path))
  }
  if (isSearch(path)) {
    const values = await valuesBelow(own, searchBase(path))
    return searched(path, values).flatMap((found) => within(values, found, maxDepth))
  }
  const found = within(await valuesBelow(own, path), path, maxDepth)
  return found.length > 0 ? found : [{ path, error: outcomeError(ABSENT, 'the device has nothing of its own for it') }]
}

/** The values at and below a path, with as many names below it as a depth allows (TR-369 Get.max_depth). */
function within(values: readonly Shown[], path: string, maxDepth: number): PathOutcome[] {
  const isNear = (found: string) =>
    maxDepth === 0 ||
    found
      .slice(path.length)
      .split('.')
      .filter((part) => !/^\d*$/.test(part)).length <= maxDepth
  return values.filter(
    (value) => value.path === path || (path.endsWith('.') && value.path.startsWith(path) && isNear(value.path)),
  )
}
