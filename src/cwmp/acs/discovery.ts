import { PeerFault } from '../../base/index.ts'
import { parentOf } from '../../datamodel/index.ts'
import { outcomeError, type PathOutcome } from '../../device/index.ts'
import type { ParameterValue } from '../wire/index.ts'
import type { Session } from './session.ts'
import { faultError, type ParameterTypes } from './values.ts'

/** How the tree is walked: level by level, or as much as the box gives at once. */
export type DiscoveryMode = 'walk' | 'subtree'

const FIRST_BATCH = 32
const MAX_PARAMETERS = 20_000
const MAX_OBJECTS = 10_000

interface Name {
  path: string
  writable: boolean
}

/** What a walk found; `unread` are objects that fault, and the root when there was more than we take. */
interface Found {
  names: Name[]
  unread: PathOutcome[]
}

/**
 * Reads names and values below `root`. An object that faults is an outcome of its own, unknown names do not fail their batch (section 14 of
 * the field notes). PeerFault when the root itself cannot be read.
 */
export async function discover(
  session: Session,
  root: string,
  mode: DiscoveryMode,
  types: ParameterTypes,
): Promise<PathOutcome[]> {
  const { names, unread } = mode === 'walk' ? await walk(session, root, types) : await subtree(session, root, types)
  const writable = new Map(names.map((name) => [name.path, name.writable]))
  const outcomes = await readValues(session, [...writable.keys()], types)
  for (const outcome of outcomes) {
    const known = writable.get(outcome.path)
    if (known !== undefined) outcome.writable = known
  }
  return [...outcomes, ...unread]
}

/** All parameters below an object, one level per request: works on boxes whose answer to the whole tree would be too large. */
async function walk(session: Session, root: string, types: ParameterTypes): Promise<Found> {
  const leaves: Name[] = []
  const unread: PathOutcome[] = []
  const queue = [root]
  for (let objects = 0; queue.length > 0 && objects < MAX_OBJECTS && leaves.length < MAX_PARAMETERS; objects++) {
    const path = queue.shift() ?? ''
    const answer = await session.call('GetParameterNames', { ParameterPath: path, NextLevel: true })
    if (!answer.ok) {
      // One below the root was listed by the object above, so there is nobody more to ask.
      const empty =
        answer.fault.code === 9005 && (path === root ? await isEmpty(session, path, types) : types.isTable(path))
      if (empty) continue
      const { code, text, retryable } = faultError(answer.fault)
      if (path === root) throw new PeerFault(Number(code), text, { retryable })
      unread.push({ path, error: { code, text, retryable } })
      continue
    }
    for (const { Name, Writable } of answer.body.ParameterList) {
      if (!Name.startsWith(path) || Name === path) continue
      if (Name.endsWith('.')) queue.push(Name)
      else leaves.push({ path: Name, writable: Writable })
    }
  }
  return taken(root, leaves, queue.length > 0, unread)
}

/** As many names as we take; what is more makes the root an object that was not read as a whole. */
function taken(root: string, names: Name[], more: boolean, unread: PathOutcome[]): Found {
  if (!more && names.length <= MAX_PARAMETERS) return { names, unread }
  const error = outcomeError('incomplete', `the box has more than ${MAX_PARAMETERS} parameters here; read its parts`)
  return { names: names.slice(0, MAX_PARAMETERS), unread: [...unread, { path: root, error }] }
}

/** Whether an object that the box calls unknown (9005) is a table without rows: known as one, or listed by the box in the object above. */
async function isEmpty(session: Session, path: string, types: ParameterTypes): Promise<boolean> {
  if (types.isTable(path)) return true
  const above = parentOf(path)
  if (above === '') return false
  const answer = await session.call('GetParameterNames', { ParameterPath: above, NextLevel: true })
  return answer.ok && answer.body.ParameterList.some(({ Name }) => Name === path)
}

/** The whole subtree in one request; a box that cannot is walked instead. */
async function subtree(session: Session, root: string, types: ParameterTypes): Promise<Found> {
  const answer = await session.call('GetParameterNames', { ParameterPath: root, NextLevel: false })
  if (!answer.ok) return walk(session, root, types)
  const names = answer.body.ParameterList.filter(({ Name }) => !Name.endsWith('.') && Name.startsWith(root))
  return taken(
    root,
    names.map(({ Name, Writable }) => ({ path: Name, writable: Writable })),
    false,
    [],
  )
}

/**
 * Values of parameters and partial paths. A batch that is too much for the box (9002, 9004) is halved, down to one, and so is one with an
 * unknown name in it (9005), which then stands alone with its error.
 */
export async function readValues(session: Session, paths: string[], types: ParameterTypes): Promise<PathOutcome[]> {
  const outcomes: PathOutcome[] = []
  const batches: string[][] = []
  for (let at = 0; at < paths.length; at += FIRST_BATCH) batches.push(paths.slice(at, at + FIRST_BATCH))
  let limit = FIRST_BATCH
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
    if (batch.length > limit) {
      batches.unshift(batch.slice(0, limit), batch.slice(limit))
      continue
    }
    const answer = await session.call('GetParameterValues', { ParameterNames: batch })
    if (answer.ok) {
      for (const value of answer.body.ParameterList) outcomes.push(outcomeOf(value, types))
      continue
    }
    const only = batch[0]
    if (batch.length === 1 && only !== undefined) {
      // A partial path on an empty table is no error, whatever the box calls it.
      const empty = only.endsWith('.') && answer.fault.code === 9005 && (await isEmpty(session, only, types))
      if (!empty) outcomes.push({ path: only, error: faultError(answer.fault) })
      continue
    }
    const half = batch.length >> 1
    if (answer.fault.code === 9002 || answer.fault.code === 9004) limit = Math.min(limit, half)
    batches.unshift(batch.slice(0, half), batch.slice(half))
  }
  return outcomes
}

function outcomeOf(value: ParameterValue, types: ParameterTypes): PathOutcome {
  return { path: value.name, value: value.value, type: types.typeOf(value.name, value.type) }
}
