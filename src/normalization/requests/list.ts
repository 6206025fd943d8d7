import { canWrite, isSearch, scanObject } from '../../datamodel/index.ts'
import { type OperationResult, type PathOutcome, type RequestFor, resultOf } from '../../domain/index.ts'
import { writable } from './draft.ts'
import { mappedBelow, type Shown, valuesBelow } from './found.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase, searched } from './search-values.ts'
import { sourcesOfAll } from './sources.ts'

/** Returns the rows of tables of TR-181 that the device has now. */
export async function instances(own: OwnSide, request: RequestFor<'instances'>): Promise<OperationResult> {
  const results = new Map<string, PathOutcome>()
  for (const path of request.paths) {
    if (!own.isMapped(path) && !own.isMixed(path)) {
      const answer = await own.ask({ ...request, paths: [path] })
      for (const outcome of answer.results) results.set(outcome.path, outcome)
      if (answer.results.length === 0 && answer.error !== undefined) results.set(path, { path, error: answer.error })
      continue
    }
    const rows = await rowsBelow(own, path, request.firstLevelOnly === true)
    const outcomes = await own.tree.whenReadEach(rows, (row): PathOutcome => {
      const [source] = own.mapping.objectsOf(row, own.tree)
      return { path: row, ...(source === undefined || source === row ? {} : { from: { path: source } }) }
    })
    for (const outcome of outcomes) results.set(outcome.path, outcome)
  }
  return { ...resultOf([...results.values()]), own: own.reads() }
}

/** The rows below an object, or at and below those that a search path names. */
async function rowsBelow(own: OwnSide, path: string, firstLevelOnly: boolean): Promise<Set<string>> {
  const isFound = isSearch(path)
  const values = await readBelow(own, path)
  const rows = new Set<string>()
  for (const object of isFound ? searched(path, values) : [path]) {
    const { cuts } = scanObject(object)
    const depth = isFound && cuts.at(-1) === object.length ? cuts.length - 1 : cuts.length
    for (const { path: value } of values) {
      if (!value.startsWith(object)) continue
      const below = scanObject(value.slice(0, value.lastIndexOf('.') + 1)).cuts.slice(depth)
      for (const cut of firstLevelOnly ? below.slice(0, 1) : below) rows.add(value.slice(0, cut))
    }
  }
  return rows
}

/** Returns the parameters of TR-181 that the device has below an object, and which of them it lets be written. */
export async function supported(own: OwnSide, request: RequestFor<'supported'>): Promise<OperationResult> {
  const { mapping, tree } = own
  const shown = own.showsSome(request.path) ? (await own.ask(request)).results : []
  await own.read(await tree.whenRead(() => sourcesOfAll(own, request.path)))
  const paths = (await mappedBelow(own, request.path)).sort(byPath)
  const results = await tree.whenRead(() =>
    paths.map(({ path }): PathOutcome => ({ path, writable: canWrite(mapping, path, tree, writable(own)) })),
  )
  return { ...resultOf([...shown, ...results]), own: own.reads() }
}

/** Reads all that is below an object of TR-181. */
export async function discover(own: OwnSide, object: string): Promise<OperationResult> {
  await own.read(await own.tree.whenRead(() => sourcesOfAll(own, object)))
  return { ...resultOf(await valuesBelow(own, object)), own: own.reads() }
}

/** The values below an object, or where a search path looks, read now, in the order of their paths. */
async function readBelow(own: OwnSide, path: string): Promise<Shown[]> {
  await own.read(await own.tree.whenRead(() => sourcesOfAll(own, path)))
  return (await valuesBelow(own, isSearch(path) ? searchBase(path) : path)).sort(byPath)
}

function byPath(a: Shown, b: Shown): number {
  return a.path < b.path ? -1 : 1
}
