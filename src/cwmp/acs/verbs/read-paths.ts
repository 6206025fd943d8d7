import { PeerFault } from '../../../base/index.ts'
import { outcomeError, type PathOutcome } from '../../../domain/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import { readValues } from '../discovery/read-values.ts'
import { Walk } from '../discovery/walk.ts'
import type { Session } from '../session/session.ts'
import type { ParameterTypes } from '../session/values.ts'

/**
 * The values of parameters and objects. An object over which two sessions ended, because the CPE cannot answer for all
 * below it at once, is read name by name. Rejects when the session is over; what ended it is remembered, so that the
 * next try asks in another way.
 */
export async function readPaths(
  session: Session,
  paths: readonly string[],
  types: ParameterTypes,
  notes: CpeNotes,
): Promise<PathOutcome[]> {
  const weak = paths.filter((path) => path.endsWith('.') && notes.isWeak(path))
  const others = paths.filter((path) => !weak.includes(path))
  const outcomes = others.length === 0 ? [] : await readValues(session, others, types, notes)
  for (const path of weak) for (const outcome of await readByNames(session, path, types, notes)) outcomes.push(outcome)
  return outcomes
}

async function readByNames(
  session: Session,
  root: string,
  types: ParameterTypes,
  notes: CpeNotes,
): Promise<PathOutcome[]> {
  const walk = new Walk({ root, mode: 'walk', names: 'get' }, types, notes)
  const outcomes: PathOutcome[] = []
  try {
    for (let more = await walk.step(session); more !== undefined; more = await walk.step(session))
      outcomes.push(...more)
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error
    return [{ path: root, error: outcomeError(error.fault, error.message, error.retryable) }]
  }
  return [...outcomes, ...walk.unlisted]
}
