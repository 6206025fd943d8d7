import { PeerFault } from '../../../base/index.ts'
import { outcomeError, type PathOutcome } from '../../../domain/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import { readValues, ValueReader } from '../discovery/read-values.ts'
import { Walk } from '../discovery/walk.ts'
import type { Session } from '../session/session.ts'
import type { ParameterTypes } from '../session/values.ts'

/**
 * The values of parameters and objects. An object is read name by name when two sessions ended over it, because the CPE
 * cannot answer for all below it at once, and when the CPE calls it unknown and lists names below it. Rejects when the
 * session is over; what ended it is remembered, so that the next try asks in another way.
 */
export async function readPaths(
  session: Session,
  paths: readonly string[],
  types: ParameterTypes,
  notes: CpeNotes,
): Promise<PathOutcome[]> {
  const weak = paths.filter((path) => path.endsWith('.') && (notes.namesOnly || notes.isWeak(path)))
  const others = paths.filter((path) => !weak.includes(path))
  const reader = new ValueReader(types, notes, 'get')
  const outcomes = others.length === 0 ? [] : await readValues(session, others, reader, notes)
  const answered = new Set(outcomes.map(({ path }) => path))
  for (const path of [...weak, ...reader.refusedObjects]) {
    const found = await readByNames(session, path, types, notes)
    for (const outcome of found) if (!answered.has(outcome.path)) outcomes.push(outcome)
    if (!weak.includes(path) && found.some(({ value }) => value !== undefined)) notes.refusedObject()
  }
  return outcomes
}

async function readByNames(
  session: Session,
  root: string,
  types: ParameterTypes,
  notes: CpeNotes,
): Promise<PathOutcome[]> {
  // A CPE without partial paths lists a whole object at once, and the read remembers the listed names that it lacks.
  const start = notes.isWeak(root) ? ({ mode: 'walk', names: 'get' } as const) : ({ mode: 'subtree' } as const)
  const walk = new Walk({ root, ...start }, types, notes)
  const outcomes: PathOutcome[] = []
  try {
    for (let more = await walk.step(session); more !== undefined; more = await walk.step(session))
      outcomes.push(...more)
  } catch (error) {
    if (!(error instanceof PeerFault)) throw error
    return [{ path: root, error: outcomeError(error.fault, error.message, error.retryable) }]
  }
  // A listed name without a value does not fail the read of its object.
  const asListed = (outcome: PathOutcome): PathOutcome =>
    outcome.error?.code === '9005' ? { ...outcome, optional: true } : outcome
  return [...outcomes.map(asListed), ...walk.unlisted]
}
