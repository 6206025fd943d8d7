import { setTimeout as pause } from 'node:timers/promises'
import {
  checkNewRow,
  choosesOwner,
  MappingRefusal,
  planAdd,
  planNewObject,
  type RawValue,
  scanObject,
} from '../../datamodel/index.ts'
import {
  failedResult,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  type RowToAdd,
  resultOf,
  rowsToAdd,
} from '../../domain/index.ts'
import { draftOf, reportedType } from './draft.ts'
import type { OwnSide } from './own-side.ts'
import { refusal, refusedAt } from './refusal.ts'
import { outermost, sourcesBelow } from './sources.ts'
import { endOf, writeValues } from './write-values.ts'

/** One row that was added, or what kept it from being added. */
interface Added {
  results: PathOutcome[]
  /** Own object, while it is there. */
  object?: string
  error?: OutcomeError
  end?: Pick<OperationResult, 'output'>
}

/**
 * Adds rows of TR-181 where the device has their owner: the object first, then what it needs and what was asked for. A
 * row whose values are refused is deleted again, and without `allowPartial` so are the rows before it.
 */
export async function add(own: OwnSide, request: RequestFor<'add'>): Promise<OperationResult> {
  const rows = rowsToAdd(request)
  const allowPartial = request.allowPartial === true
  const tables = [...new Set(rows.map(({ object }) => object))]
  // All rows that there are get their numbers before the new one: by these a new row is told after a lost answer.
  await own.read(await own.tree.whenRead(() => outermost(tables.flatMap((table) => sourcesBelow(own, table)))))
  const objects: string[] = []
  for (const row of rows) {
    const object = own.isMapped(row.object) ? await own.attempt(() => placeOf(own, row, allowPartial)) : row.object
    if (!(object instanceof MappingRefusal)) objects.push(object)
    else return refusedAt(row.object, object)
  }
  const done: Added[] = []
  for (const [n, row] of rows.entries()) {
    const added = await addRow(own, row, objects[n] ?? row.object, tables, allowPartial)
    done.push(added)
    if (added.error === undefined || allowPartial) continue
    const { error, results } = await takeAllAway(own, done, { ...added, error: added.error })
    return { ...failedResult(error, results), own: ownAdd(own, objects) }
  }
  const ends = Object.assign({}, ...done.map(({ end }) => end ?? {}))
  return { ...resultOf(done.flatMap(({ results }) => results)), ...ends, own: ownAdd(own, objects) }
}

/** Returns the table of the device for a new row. Throws MappingRefusal where it, or one of its values, has none. */
function placeOf({ mapping, tree }: OwnSide, row: RowToAdd, allowPartial: boolean): string {
  const table = planAdd(mapping, row.object, row.values, tree)
  const required = Object.entries(row.values).filter(([name]) => !allowPartial && row.optional?.includes(name) !== true)
  checkNewRow(mapping, row.object, Object.fromEntries(required), table)
  return table
}

function ownAdd(own: OwnSide, [object = '']: readonly string[]): NonNullable<OperationResult['own']> {
  return { request: { verb: 'add', object, values: {} }, results: [...own.results.values()] }
}

async function addRow(
  own: OwnSide,
  row: RowToAdd,
  table: string,
  tables: readonly string[],
  allowPartial: boolean,
): Promise<Added> {
  const hooks = { beforeSend: (raw?: { instances?: string[] }) => own.hooks.beforeSend(baselineOf(own, tables, raw)) }
  const made = await own.write({ verb: 'add', object: table, values: {} }, hooks)
  const object = made.results.find(({ created }) => created !== undefined)?.created
  if (object === undefined) {
    const error = made.error ?? outcomeError('notApplied', `the device added no row to ${table}`)
    return { results: [{ path: row.object, from: { path: table }, error }], error }
  }
  await own.read([object])
  const target = own.isMapped(row.object) ? own.mapping.rowOf(object, schemaOfTable(row.object)) : object
  if (target === undefined) {
    const error = outcomeError('notMapped', `the new row ${object} has no place in ${row.object}; use ${table}`)
    const results = [{ path: row.object, from: { path: table }, error }]
    return undone(own, object, { path: row.object, created: object }, { results, error })
  }
  const from = target === object ? {} : { from: { path: object } }
  const created: PathOutcome = { path: row.object, created: target, ...from }
  const filled = await fill(own, row, object, target, allowPartial)
  if (filled.error === undefined) return { ...filled, object, results: [created, ...filled.results] }
  return undone(own, object, created, { results: filled.results, error: filled.error })
}

/** Writes the values of a new row, and those that objects of the device's model need. */
async function fill(
  own: OwnSide,
  row: RowToAdd,
  object: string,
  target: string,
  allowPartial: boolean,
): Promise<Added> {
  const { tree, quirks } = own
  const isChoice = ([name]: [string, string]) => own.isMapped(row.object) && choosesOwner(row.object, name)
  const all = Object.entries(row.values)
  const values = all
    .filter((entry) => !isChoice(entry))
    .map(([name, value]) => {
      const required = !allowPartial && row.optional?.includes(name) !== true
      return { path: target + name, value, required }
    })
  const isFree = ({ required }: (typeof values)[number]) => !required
  const onDevice = (raw: readonly RawValue[]) => planNewObject(object, raw, quirks, tree, reportedType(own))
  const redraft = (some: readonly (typeof values)[number][]) => draftOf(own, some, isFree, onDevice)
  const draft = await redraft(values)
  if (draft instanceof MappingRefusal) {
    const { error, from } = refusal(draft)
    return { error, results: [{ path: row.object, ...(from === undefined ? {} : { from }), error }] }
  }
  const results = [...draft.refused].map(([path, reason]): PathOutcome => {
    return { path, ...refusal(reason), ...(allowPartial ? {} : { optional: true as const }) }
  })
  const { pauseMs, needs } = draft.write
  for (const below of needs) {
    const made = await own.write({ verb: 'add', object: below, values: {} })
    if (made.outcome === 'done') own.note(made.results)
    else if (made.error !== undefined) return { error: made.error, results: [{ path: row.object, error: made.error }] }
  }
  if (pauseMs > 0) await pause(pauseMs, undefined, { signal: own.hooks.signal })
  const written = await writeValues(own, draft, isFree, redraft)
  results.push(...draft.open.flatMap(({ path }) => written.outcomes.get(path) ?? []))
  for (const [name, value] of all.filter(isChoice)) {
    const path = target + name
    results.push({
      path,
      value: (await tree.whenRead(() => own.mapping.evaluate(path, tree, own.time)))?.value ?? value,
    })
  }
  const failed = results.find(({ error, optional }) => error !== undefined && optional !== true)?.error
  const error = allowPartial ? undefined : (written.error ?? failed)
  return { results, end: endOf(written), ...(error === undefined ? {} : { error }) }
}

/** A row that was not added as it was asked for. */
type Refused = Added & { error: OutcomeError }

/** Deletes a new row again. One that the device keeps stays in the results, and the error names it. */
async function undone(own: OwnSide, object: string, created: PathOutcome, refused: Refused): Promise<Refused> {
  const kept = await takeAway(own, object)
  if (kept === undefined) return refused
  return { error: withKept(refused.error, created, kept), results: [created, ...refused.results] }
}

/** Deletes the rows before one that failed, the last one first. Rows that the device keeps stay in the results. */
async function takeAllAway(own: OwnSide, done: readonly Added[], failed: Refused): Promise<Refused> {
  let { error } = failed
  const results: PathOutcome[] = []
  for (const row of [...done].reverse()) {
    if (row.object === undefined) continue
    const kept = await takeAway(own, row.object)
    if (kept === undefined) continue
    for (const outcome of row.results) if (outcome.created !== undefined) error = withKept(error, outcome, kept)
    results.unshift(...row.results)
  }
  return { error, results: [...results, ...failed.results] }
}

/** Deletes an own object; resolves with the reason why the device keeps it, undefined when it is gone. */
async function takeAway(own: OwnSide, object: string): Promise<OutcomeError | undefined> {
  const { outcome, error } = await own.write({ verb: 'delete', paths: [object], allowPartial: true })
  if (outcome === 'done') {
    own.forget(object)
    return undefined
  }
  return error ?? outcomeError('notApplied', 'the device did not delete it')
}

function withKept(error: OutcomeError, { created = '', from }: PathOutcome, kept: OutcomeError): OutcomeError {
  const place = from?.path === undefined ? created : `${created} (${from.path} on the device)`
  return { ...error, text: `${error.text}; the new row ${place} is still there, delete it: ${kept.text}` }
}

/** The rows of TR-181 before the add. */
function baselineOf(own: OwnSide, tables: readonly string[], raw: { instances?: string[] } | undefined) {
  const { mapping } = own
  const rows = new Set<string>()
  for (const table of tables) {
    for (const row of mapping.links.rowsIn(table)) rows.add(row)
    for (const object of raw?.instances ?? []) {
      if (!own.isMapped(table)) {
        rows.add(object)
        continue
      }
      const row = mapping.rowOf(object, schemaOfTable(table))
      if (row !== undefined) rows.add(row)
    }
  }
  return { instances: [...rows] }
}

/** The table as rules name it: with `{i}` for the rows that it lies in. */
function schemaOfTable(table: string): string {
  return scanObject(table).schema
}
