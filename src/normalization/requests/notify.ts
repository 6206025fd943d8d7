import { isSearch } from '../../datamodel/index.ts'
import {
  failedResult,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
} from '../../domain/index.ts'
import { ABSENT } from '../tree/paths.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase } from './search-values.ts'
import { parametersBelow, sourcesOf } from './sources.ts'

/**
 * Subscribes to all own parameters behind those of TR-181: their changes are stored, and reported, under both paths. The
 * record keeps the own ones.
 */
export async function subscribe(own: OwnSide, request: RequestFor<'subscribe'>): Promise<OperationResult> {
  const { tree } = own
  const sources = new Map<string, string[]>()
  for (const path of request.paths)
    sources.set(
      path,
      await tree.whenRead(() => {
        if (own.isMixed(path)) return [...(own.showsSome(path) ? [path] : []), ...besides(path)]
        if (!own.isMapped(path)) return [path]
        return path.endsWith('.') ? parametersBelow(own, path) : known(sourcesOf(own, path))
      }),
    )
  function besides(path: string): string[] {
    const base = isSearch(path) ? searchBase(path) : path
    return parametersBelow(own, base).filter((source) => !own.showsSome(path) || !source.startsWith(base))
  }
  function known(paths: string[]): string[] {
    return paths.filter((path) => tree.value(path) !== undefined)
  }
  // A subscription ends also when its rows are gone.
  const absent = request.enable ? [...sources].filter(([, paths]) => paths.length === 0) : []
  if (absent.length > 0) {
    const error = outcomeError(ABSENT, 'the device has no parameter of its own for it')
    return failedResult(
      error,
      absent.map(([path]) => ({ path, error })),
    )
  }
  const ownRequest = { ...request, paths: [...new Set([...sources.values()].flat())] }
  const answer = await own.write(ownRequest)
  const results = request.paths.map((path): PathOutcome => {
    const [source = path] = sources.get(path) ?? []
    return source === path ? { path } : { path, from: { path: source } }
  })
  return {
    ...answer,
    results: answer.outcome === 'done' ? results : answer.results,
    own: { request: ownRequest, results: answer.results },
  }
}
