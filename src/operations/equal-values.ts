import type { DeviceChange, Operation, Parameter, ParameterWrite } from '../domain/index.ts'

/** A value that is read again is written again when the record has had it for so long, so that its time stays true to a day. */
const EQUAL_FOR_MS = 86_400_000

/**
 * True when values that an operation reads anew need not be written where the record has the same. A person or program that reads looks for
 * the time of the value; the planner, which reads the same objects at each step of a migration, does not.
 */
export function skipsEqual({ actor }: Pick<Operation, 'actor'>): boolean {
  return actor.kind === 'planner'
}

/** A change without the values that the record has already, by path; undefined when nothing is left of it. */
export function withoutEqual(
  change: DeviceChange,
  stored: ReadonlyMap<string, Parameter>,
  now: number,
): DeviceChange | undefined {
  const { parameters = [], ...rest } = change
  const news = parameters.filter((write) => !isKnown(write, stored.get(write.path), now))
  if (news.length > 0) return { ...rest, parameters: news }
  return Object.keys(rest).length > 1 ? rest : undefined
}

function isKnown(write: ParameterWrite, stored: Parameter | undefined, now: number): boolean {
  if (stored === undefined) return false
  const ageMs = now - stored.collectedAt
  return (
    ageMs >= 0 &&
    ageMs < EQUAL_FOR_MS &&
    write.value === stored.value &&
    write.source === stored.source &&
    (write.type === 'unknown' || write.type === stored.type) &&
    (write.writable === undefined || write.writable === stored.writable)
  )
}
