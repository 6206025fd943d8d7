import { isSearch } from '../../../datamodel/index.ts'
import { type OperationResult, type PathOutcome, type RequestFor, resultOf } from '../../../domain/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import { refused } from './outcome.ts'
import { findPaths } from './search.ts'

/**
 * Returns the instance paths of a table; CPE call an empty one unknown (9005). Undefined when they cannot be read: rows
 * may exist.
 */
export async function instancesOf(session: Session, table: string): Promise<string[] | undefined> {
  const answer = await session.call('GetParameterNames', { ParameterPath: table, NextLevel: true })
  if (!answer.ok) return answer.fault.code === 9005 ? [] : undefined
  return answer.body.ParameterList.map(({ Name }) => Name).filter(
    (name) => name.startsWith(table) && /^\d+\.$/.test(name.slice(table.length)),
  )
}

/** The rows below tables, by the names that the CPE lists: CWMP has no keys. */
export async function instances(
  session: Session,
  { paths, firstLevelOnly }: RequestFor<'instances'>,
  context: { types: ParameterTypes; notes: CpeNotes },
): Promise<OperationResult> {
  const tables: string[] = []
  for (const path of paths) tables.push(...(isSearch(path) ? await findPaths(session, path, context) : [path]))
  const results: PathOutcome[] = []
  for (const table of new Set(tables)) {
    const NextLevel = firstLevelOnly === true
    const answer = await session.call('GetParameterNames', { ParameterPath: table, NextLevel })
    if (answer.ok) {
      for (const { Name } of answer.body.ParameterList)
        if (Name.startsWith(table) && Name !== table && /\.\d+\.$/.test(Name)) results.push({ path: Name })
    } else if (answer.fault.code !== 9005 || !context.types.isTable(table))
      results.push({ path: table, error: faultError(answer.fault) })
  }
  return resultOf(results)
}

/**
 * Returns the names that the CPE lists below a path, and which of them are writable: the nearest that CWMP has to a
 * supported model.
 */
export async function supportedBelow(
  session: Session,
  { path, firstLevelOnly }: RequestFor<'supported'>,
): Promise<OperationResult> {
  const NextLevel = firstLevelOnly === true
  const answer = await session.call('GetParameterNames', { ParameterPath: path, NextLevel })
  if (!answer.ok) return refused(answer.fault, [{ path, error: faultError(answer.fault) }])
  return resultOf(
    answer.body.ParameterList.filter(({ Name }) => Name.startsWith(path)).map(({ Name, Writable }) => ({
      path: Name,
      writable: Writable,
    })),
  )
}
