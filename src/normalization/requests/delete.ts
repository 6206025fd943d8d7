import { isSearch, MappingRefusal, planDelete } from '../../datamodel/index.ts'
import {
  type OperationResult,
  type OutcomeError,
  type PathOutcome,
  type RequestFor,
  resultOf,
} from '../../domain/index.ts'
import { ABSENT } from '../tree/paths.ts'
import { errorOfRead, valuesBelow } from './found.ts'
import type { OwnSide } from './own-side.ts'
import { refusal } from './refusal.ts'
import { searchBase, searched } from './search-values.ts'
import { sourcesOfAll } from './sources.ts'

/** Deletes rows of TR-181 with the object of the device that each of them is. Nothing is sent when one has none. */
export async function remove(own: OwnSide, request: RequestFor<'delete'>): Promise<OperationResult> {
  const paths: string[] = []
  const results: PathOutcome[] = []
  for (const path of request.paths) {
    const rows = own.isMapped(path) && isSearch(path) ? await found(own, path) : [path]
    if (Array.isArray(rows)) paths.push(...rows)
    else results.push({ path, error: rows })
  }
  const objects = new Map<string, string>()
  for (const path of new Set(paths)) {
    const object = own.isMapped(path) ? await own.attempt(() => planDelete(own.mapping, path, own.tree)) : path
    if (!(object instanceof MappingRefusal)) {
      objects.set(object, path)
      continue
    }
    const { error, from } = refusal(object)
    // A row that is not there has no source either.
    const isGone = from === undefined
    if (isGone && request.allowPartial === true) results.push({ path })
    else
      results.push({
        path,
        error: isGone ? { ...error, code: ABSENT } : error,
        ...(from === undefined ? {} : { from }),
      })
  }
  const isRefused = results.some(({ error }) => error !== undefined)
  if (objects.size === 0 || (isRefused && request.allowPartial !== true)) return resultOf(results)
  const answer = await own.write({ ...request, paths: [...objects.keys()] })
  for (const { path, error } of answer.results)
    results.push({ path: objects.get(path) ?? path, from: { path }, ...(error === undefined ? {} : { error }) })
  return { ...resultOf(results), own: { request: { ...request, paths: [...objects.keys()] }, results: answer.results } }
}

/** Returns the rows that a search path names, or the error for which nobody knows whether there are some. */
async function found(own: OwnSide, path: string): Promise<string[] | OutcomeError> {
  const answers = await own.read(await own.tree.whenRead(() => sourcesOfAll(own, path)))
  return errorOfRead(answers) ?? searched(path, await valuesBelow(own, searchBase(path)))
}
