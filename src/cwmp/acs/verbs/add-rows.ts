import { ProtocolError } from '../../../base/index.ts'
import {
  type ExecuteHooks,
  type Operation,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  type RowToAdd,
  resultOf,
  rowsToAdd,
} from '../../../domain/index.ts'
import type { CwmpFault } from '../../wire/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import { instancesOf } from './names.ts'
import { later, refused } from './outcome.ts'
import { write } from './write.ts'

interface AddContext {
  types: ParameterTypes
  notes: CpeNotes
}

/** The outcome of one row. */
interface Added {
  results: PathOutcome[]
  /** Its path, while it is there. */
  created?: string
  fault?: CwmpFault
  status: number
}

/**
 * Rows one after the other, because AddObject makes one (A.3.2.6). Without `allowPartial` a row that fails takes those
 * before it away again: rows without their like are nothing anybody asked for, and one that the CPE keeps is named.
 */
export async function add(
  session: Session,
  request: RequestFor<'add'>,
  { id }: Operation,
  hooks: ExecuteHooks,
  context: AddContext,
): Promise<OperationResult> {
  const rows = rowsToAdd(request)
  const allowPartial = request.allowPartial === true
  await hooks.beforeSend(await baselineOf(session, new Set(rows.map(({ object }) => object))))
  const done: Added[] = []
  for (const [n, row] of rows.entries()) {
    const added = await addRow(session, row, { allowPartial, id, hooks, context })
    if (added.fault !== undefined && !allowPartial) {
      const kept = await takeBack(session, done, id)
      const others = rows.flatMap(({ object }, at) =>
        at === n || kept.has(at)
          ? []
          : [{ path: object, error: outcomeError('notApplied', 'another row was refused') }],
      )
      return refused(added.fault, [...[...kept.values()].flat(), ...added.results, ...others])
    }
    done.push(added)
  }
  return {
    ...resultOf(done.flatMap(({ results }) => results)),
    ...later(Math.max(...done.map(({ status }) => status))),
  }
}

/** Returns the rows before the add; undefined when the CPE does not list one of the tables. */
async function baselineOf(session: Session, tables: Set<string>): Promise<{ instances: string[] } | undefined> {
  const instances: string[] = []
  for (const table of tables) {
    const found = await instancesOf(session, table)
    if (found === undefined) return undefined
    instances.push(...found)
  }
  return { instances }
}

async function addRow(
  session: Session,
  { object, values, optional = [] }: RowToAdd,
  { allowPartial, id, hooks, context }: { allowPartial: boolean; id: string; hooks: ExecuteHooks; context: AddContext },
): Promise<Added> {
  const answer = await session.call('AddObject', { ObjectName: object, ParameterKey: id })
  if (!answer.ok)
    return { results: [{ path: object, error: faultError(answer.fault) }], fault: answer.fault, status: 0 }
  // A row was added; a read finds its instance number.
  if (answer.body.InstanceNumber < 1) throw new ProtocolError('wrongAnswer', 'AddObjectResponse has no InstanceNumber')
  const created = `${object}${answer.body.InstanceNumber}.`
  const row: PathOutcome = { path: object, created }
  const list = Object.entries(values).map(([name, value]) => {
    const path = created + name
    const type = hooks.typeOf?.(path)
    return { path, value, type, ...(optional.includes(name) ? { required: false } : {}) }
  })
  if (list.length === 0) return { results: [row], created, status: answer.body.Status }
  const { written, failures, fault, status } = await write(session, list, allowPartial, id, context)
  const results = written.map(({ path, value }): PathOutcome => ({ path, value, type: context.types.typeOf(path) }))
  const highest = Math.max(answer.body.Status, status)
  if (fault === undefined || allowPartial) return { results: [row, ...results, ...failures], created, status: highest }
  // A row without its values is nothing anybody asked for; one that the CPE keeps must be known.
  const removed = await session.call('DeleteObject', { ObjectName: created, ParameterKey: id })
  return { results: removed.ok ? failures : [row, ...failures], fault, status: highest }
}

/** Deletes rows again; those that the CPE keeps, by their place. */
async function takeBack(session: Session, done: Added[], id: string): Promise<Map<number, PathOutcome[]>> {
  const kept = new Map<number, PathOutcome[]>()
  for (const [n, { created, results }] of done.entries()) {
    if (created === undefined) continue
    const removed = await session.call('DeleteObject', { ObjectName: created, ParameterKey: id })
    if (!removed.ok) kept.set(n, results)
  }
  return kept
}
