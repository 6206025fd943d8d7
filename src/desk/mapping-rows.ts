import { AppError } from '../base/index.ts'
import {
  actorText,
  type DeviceStore,
  MAX_ROW_SETS,
  type MappingRowSet,
  type MappingRowStore,
  type NewEvent,
  notFound,
  type Page,
  type Principal,
  type RowSetInput,
  scopeSelector,
} from '../domain/index.ts'
import type { RowSets } from '../normalization/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

/** The parts that the use cases of mapping rows need. */
interface MappingRowDeps extends AuditDeps {
  mappingRows: MappingRowStore
  rowSets: Pick<RowSets, 'files'>
  devices: Pick<DeviceStore, 'count'>
  newId(): string
}

const MAX_COUNT = 1_000_000

/** A page of the sets: those of the database in the order of their ids, and behind them those of files. */
export async function listRowSets(
  { mappingRows, rowSets }: Pick<MappingRowDeps, 'mappingRows' | 'rowSets'>,
  limit: number,
  cursor?: string,
): Promise<Page<MappingRowSet>> {
  const after = cursor?.startsWith(IN_FILES) === true ? cursor.slice(IN_FILES.length) : undefined
  const stored = after === undefined ? await mappingRows.list(limit, cursor) : { items: [] }
  if (stored.next !== undefined) return stored
  const left = rowSets.files.filter(({ id }) => after === undefined || id > after)
  const taken = left.slice(0, limit - stored.items.length)
  const items = [...stored.items, ...taken]
  return taken.length === left.length ? { items } : { items, next: `${IN_FILES}${taken.at(-1)?.id ?? ''}` }
}

/** A cursor that goes on among the sets of files; those of the store have other beginnings. */
const IN_FILES = 'file:'

/** The set, of the database or of a file. AppError `notFound` when there is none. */
export async function readRowSet(
  { mappingRows, rowSets }: Pick<MappingRowDeps, 'mappingRows' | 'rowSets'>,
  id: string,
): Promise<MappingRowSet> {
  const set = rowSets.files.find((one) => one.id === id) ?? (await mappingRows.get(id))
  if (set === undefined) throw notFound('set of mapping rows', id)
  return set
}

/** Number of devices that a set is about, at most one million. */
export function countInScope({ devices }: Pick<MappingRowDeps, 'devices'>, { scope }: MappingRowSet): Promise<number> {
  return devices.count(scopeSelector(scope), MAX_COUNT)
}

/** Stores a new set. AppError `conflict` for a name that is taken, or where there are too many sets. */
export async function createRowSet(deps: MappingRowDeps, input: RowSetInput, by: Principal): Promise<MappingRowSet> {
  if ((await deps.mappingRows.count()) >= MAX_ROW_SETS)
    throw new AppError('conflict', `there are ${MAX_ROW_SETS} sets of mapping rows: join some, or delete one`)
  refuseTaken(deps, input.name)
  const id = deps.newId()
  const after = summaryOf(input)
  return auditedBy(deps, by, { action: 'mappingRows.create', target: id, after }, async (at) => {
    const set: MappingRowSet = { id, ...input, revision: 1, createdAt: at, updatedAt: at }
    await deps.mappingRows.put(set, changed(set, 'created', at, by))
    return set
  })
}

/**
 * Replaces a set. AppError `notFound` without such a set, `conflict` for one of a file, a name that is taken, or when
 * `revision` is not the present one.
 */
export async function replaceRowSet(
  deps: MappingRowDeps,
  id: string,
  { input, revision }: { input: RowSetInput; revision: number },
  by: Principal,
): Promise<MappingRowSet> {
  const present = await readOwn(deps, id)
  if (present.revision !== revision)
    throw new AppError('conflict', 'the set of rows has changed since it was read; read it again')
  refuseTaken(deps, input.name)
  const deed = { action: 'mappingRows.replace', target: id, before: summaryOf(present), after: summaryOf(input) }
  return auditedBy(deps, by, deed, async (at) => {
    const set: MappingRowSet = { ...present, ...input, revision: revision + 1, updatedAt: at }
    await deps.mappingRows.put(set, changed(set, 'replaced', at, by), revision)
    return set
  })
}

/** Deletes a set. AppError `notFound` without such a set, `conflict` for one of a file. */
export async function deleteRowSet(deps: MappingRowDeps, id: string, by: Principal): Promise<void> {
  const set = await readOwn(deps, id)
  const deed = { action: 'mappingRows.delete', target: id, before: summaryOf(set) }
  await auditedBy(deps, by, deed, (at) => deps.mappingRows.delete(id, changed(set, 'deleted', at, by)))
}

/** A set that the API can change. */
async function readOwn(deps: MappingRowDeps, id: string): Promise<MappingRowSet> {
  const set = await readRowSet(deps, id)
  if (set.file !== undefined)
    throw new AppError('conflict', `the set ${set.name} stands in ${set.file}: change it there, and send SIGHUP`)
  return set
}

/** Names in the database are guarded by their index. */
function refuseTaken({ rowSets }: Pick<MappingRowDeps, 'rowSets'>, name: string): void {
  const other = rowSets.files.find((set) => set.name === name)
  if (other !== undefined) throw new AppError('conflict', `a set in ${other.file} has the name ${name} already`)
}

/** The audit log has the rows as texts: they are what was decided. */
function summaryOf({ name, reason, scope, rows }: RowSetInput) {
  return { name, reason, scope, rows: rows.map(({ from, to }) => `${from} > ${to}`) }
}

function changed({ id, name }: MappingRowSet, deed: string, at: number, by: Principal): NewEvent {
  return { type: 'mappingRows.changed', at, data: { id, name, deed, by: actorText(by) } }
}
