import { PeerFault } from '../../base/index.ts'
import type { PathOutcome } from '../../device/index.ts'
import { faultRow, type ParameterValue } from '../wire/index.ts'
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

/** Reads names and values below `root`. Objects that fault are left out, unknown names do not fail their batch (section 14 of the field notes). */
export async function discover(
  session: Session,
  root: string,
  mode: DiscoveryMode,
  types: ParameterTypes,
): Promise<PathOutcome[]> {
  const names = mode === 'walk' ? await walk(session, root) : await subtree(session, root)
  const writable = new Map(names.map((name) => [name.path, name.writable]))
  const outcomes = await readValues(session, [...writable.keys()], types)
  for (const outcome of outcomes) {
    const known = writable.get(outcome.path)
    if (known !== undefined) outcome.writable = known
  }
  return outcomes
}

/** All parameters below an object, one level per request: works on boxes whose answer to the whole tree would be too large. */
async function walk(session: Session, root: string): Promise<Name[]> {
  const leaves: Name[] = []
  const queue = [root]
  for (let objects = 0; queue.length > 0 && objects < MAX_OBJECTS && leaves.length < MAX_PARAMETERS; objects++) {
    const path = queue.shift() ?? ''
    const answer = await session.call('GetParameterNames', { ParameterPath: path, NextLevel: true })
    if (!answer.ok) {
      if (path === root && answer.fault.code !== 9005)
        throw new PeerFault(answer.fault.code, faultRow(answer.fault.code).text)
      continue
    }
    for (const { Name, Writable } of answer.body.ParameterList) {
      if (!Name.startsWith(path) || Name === path) continue
      if (Name.endsWith('.')) queue.push(Name)
      else leaves.push({ path: Name, writable: Writable })
    }
  }
  return leaves.slice(0, MAX_PARAMETERS)
}

/** The whole subtree in one request; a box that cannot is walked instead. */
async function subtree(session: Session, root: string): Promise<Name[]> {
  const answer = await session.call('GetParameterNames', { ParameterPath: root, NextLevel: false })
  if (!answer.ok) return walk(session, root)
  return answer.body.ParameterList.filter(({ Name }) => !Name.endsWith('.') && Name.startsWith(root))
    .slice(0, MAX_PARAMETERS)
    .map(({ Name, Writable }) => ({ path: Name, writable: Writable }))
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
      if (!(only.endsWith('.') && answer.fault.code === 9005))
        outcomes.push({ path: only, error: faultError(answer.fault) })
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
