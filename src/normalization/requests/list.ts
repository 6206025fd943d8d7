import { canWrite, isSearch, scanObject } from '../../datamodel/index.ts'
import { type OperationResult, type PathOutcome, type RequestFor, resultOf } from '../../domain/index.ts'
import { writable } from './draft.ts'
import { outcomeOf, valuesBelow } from './found.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase } from './search-values.ts'
import { sourcesBelow } from './sources.ts'

/** Returns the rows of tables of TR-181 that the device has now. */
export async function instances(own: OwnSide, request: RequestFor<'instances'>): Promise<OperationResult> {
  const rows = new Map<string, PathOutcome>()
  for (const path of request.paths) {
    const object = isSearch(path) ? searchBase(path) : path
    const depth = scanObject(object).cuts.length
    for (const value of await readBelow(own, object)) {
      const cuts = scanObject(value.slice(0, value.lastIndexOf('.') + 1)).cuts.slice(depth)
      for (const cut of request.firstLevelOnly === true ? cuts.slice(0, 1) : cuts) {
        const row = value.slice(0, cut)
        const [source] = await own.tree.settle(() => own.mapping.objectsOf(row, own.tree))
        rows.set(row, { path: row, ...(source === undefined ? {} : { from: { path: source } }) })
      }
    }
  }
  return { ...resultOf([...rows.values()]), own: own.reads() }
}

/** Returns the parameters of TR-181 that the device has below an object, and which of them it lets be written. */
export async function supported(own: OwnSide, request: RequestFor<'supported'>): Promise<OperationResult> {
  const { mapping, tree } = own
  const paths = await readBelow(own, request.path)
  const results = await tree.settle(() =>
    paths.map((path): PathOutcome => ({ path, writable: canWrite(mapping, path, tree, writable(own)) })),
  )
  return { ...resultOf(results), own: own.reads() }
}

/** Reads all that is below an object of TR-181. */
export async function discover(own: OwnSide, object: string): Promise<OperationResult> {
  await own.read(await own.tree.settle(() => sourcesBelow(own.mapping, object, own.tree)))
  return { ...resultOf((await valuesBelow(own, object)).map(outcomeOf)), own: own.reads() }
}

async function readBelow(own: OwnSide, object: string): Promise<string[]> {
  await own.read(await own.tree.settle(() => sourcesBelow(own.mapping, object, own.tree)))
  return (await valuesBelow(own, object)).map(({ path }) => path).sort()
}
