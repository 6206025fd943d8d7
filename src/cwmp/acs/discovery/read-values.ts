import { ProtocolError } from '../../../base/index.ts'
import { parentOf } from '../../../datamodel/index.ts'
import { type OutcomeError, outcomeError, type PathOutcome } from '../../../domain/index.ts'
import type { ParameterValue } from '../../wire/index.ts'
import { isEndedByCpe, type Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import type { CpeNotes } from './cpe-notes.ts'

/** Values that are taken of one answer; more than the tree of any CPE holds. */
const MAX_ANSWERED = 20_000
/** Some CPE leave out what they do not have instead of answering with fault 9005. */
const PASSED_OVER: OutcomeError = outcomeError(9005, 'the device answered without this parameter')

/** Objects whose values show which of their doubted names there are: so many at once, and so many names below each. */
const MAX_OBJECTS = 16
const MAX_BELOW = 64

/** The error of a path that is not requested any more. */
export const LEFT_OUT: OutcomeError = outcomeError('leftOut', 'asking for it ended two sessions', true)

/**
 * The names that are read: those that the CPE has just listed, or those that an operator asks for. Only listed ones are
 * remembered as names that the CPE does not have, and only they are taken for absent by what is remembered.
 */
export type NamesOf = 'discovery' | 'get'

/**
 * Reads values of parameters and partial paths, one GetParameterValues after the other. A batch that is too much for
 * the CPE (9002, 9004, an answer that is not valid, a session that ends over it) is halved, down to one name, and so is
 * one with an unknown name in it (9005), which then gets its error alone. Names that were not read yet are kept, so
 * that another session can continue.
 */
export class ValueReader {
  readonly #types: ParameterTypes
  readonly #notes: CpeNotes
  /** Names not asked for yet, in order. */
  #fresh: string[] = []
  /** Parts of batches that failed, and names to be asked alone. */
  readonly #parts: string[][] = []
  /**
   * Names of a discovery that several CPE of this firmware listed and did not have: they are asked together, and not one
   * by one.
   */
  readonly #doubted: string[] = []
  /** Objects that the CPE called unknown although it lists names below them. */
  readonly #refused: string[] = []
  readonly #below = new Map<string, number>()
  /** Names that were added and are not in these numbers, which few CPE need. */
  readonly #uncounted: (readonly string[])[] = []
  /** Number of sessions that ended over a single name. */
  readonly #strikes = new Map<string, number>()
  readonly #isDiscovery: boolean

  constructor(types: ParameterTypes, notes: CpeNotes, names: NamesOf) {
    this.#types = types
    this.#notes = notes
    this.#isDiscovery = names === 'discovery'
  }

  add(names: readonly string[]): void {
    this.#uncounted.push(names)
    for (const name of names) {
      if (this.#notes.skip.has(name)) continue
      const suspicion = this.#suspicion(name)
      if (suspicion === 'none') this.#fresh.push(name)
      else if (suspicion === 'one') this.#parts.push([name])
      else this.#doubted.push(name)
    }
  }

  /** Names still to be read. */
  get pending(): number {
    return this.#fresh.length + this.#doubted.length + this.#parts.reduce((sum, { length }) => sum + length, 0)
  }

  /** Objects that a get has to read name by name: the CPE lists them, and does not give their values at once. */
  get refusedObjects(): readonly string[] {
    return this.#refused
  }

  /** True when a full batch waits. */
  get isFull(): boolean {
    return this.#parts.length > 0 || this.#fresh.length >= this.#notes.batch
  }

  /**
   * One request; what it answered, errors of single names included. Rejects when the session is over; then nothing is
   * lost.
   */
  async next(session: Session): Promise<PathOutcome[]> {
    const isFresh = this.#parts.length === 0 && this.#fresh.length > 0
    const batch = this.#take()
    const [only] = batch
    if (only === undefined) return []
    let error: OutcomeError
    try {
      const answer = await session.call('GetParameterValues', { ParameterNames: batch })
      for (const name of batch) if (name.endsWith('.')) this.#notes.answered(name)
      if (answer.ok) {
        if (isFresh) this.#notes.took(batch.length)
        const outcomes = answered(batch, answer.body.ParameterList, this.#types)
        this.#notes.answeredValues(outcomes)
        if (outcomes.some(({ path, value }) => value !== undefined && !batch.includes(path))) this.#notes.gaveObject()
        return outcomes
      }
      error = faultError(answer.fault)
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) {
        this.#interrupted(batch, isEndedByCpe(cause))
        throw cause
      }
      error = outcomeError('protocolError', cause.message, true)
    }
    if (batch.length === 1) return this.#refusedAlone(session, only, error)
    // At least one of these names caused the failure, and most likely all did.
    if (error.code === '9005' && batch.every((name) => this.#suspicion(name) === 'several')) {
      const found = await this.#belowObjects(session, batch)
      return batch.map((path) => found.get(path) ?? { path, error })
    }
    const half = batch.length >> 1
    if (error.code !== '9005' && error.code !== '9003') this.#notes.tooMany(half)
    this.#parts.unshift(batch.slice(0, half), batch.slice(half))
    return []
  }

  /**
   * Returns those of some doubted names that the CPE has, a CPE with an option that others of its firmware lack: it gives
   * all values below an object without a fault, and leaves out the names that it does not have. They stay doubted, because
   * the next CPE may be without the option. Large objects are not asked for.
   */
  async #belowObjects(session: Session, doubted: readonly string[]): Promise<Map<string, PathOutcome>> {
    const below = this.#countBelow()
    const isSmall = (object: string) => parentOf(object) !== '' && (below.get(object) ?? 0) <= MAX_BELOW
    const small = [...new Set(doubted.map(parentOf))].filter((object) => isSmall(object) && !this.#notes.isWeak(object))
    const found = new Map<string, PathOutcome>()
    if (this.#notes.namesOnly) return found
    for (let at = 0; at < small.length; at += MAX_OBJECTS) {
      const asked = small.slice(at, at + MAX_OBJECTS)
      try {
        const answer = await session.call('GetParameterValues', { ParameterNames: asked })
        if (!answer.ok) continue
        for (const outcome of answered(asked, answer.body.ParameterList, this.#types)) found.set(outcome.path, outcome)
      } catch (cause) {
        if (cause instanceof ProtocolError) continue
        // Objects that end a second session are not asked for any more.
        if (isEndedByCpe(cause)) for (const object of asked) this.#notes.strike(object)
        this.#doubted.unshift(...doubted)
        throw cause
      }
    }
    return found
  }

  /** Number of the names at and below each object: of a small one all values may be asked for. */
  #countBelow(): ReadonlyMap<string, number> {
    for (const names of this.#uncounted.splice(0))
      for (const name of names) {
        if (this.#notes.skip.has(name)) continue
        for (let object = parentOf(name); object !== ''; object = parentOf(object))
          this.#below.set(object, (this.#below.get(object) ?? 0) + 1)
      }
    return this.#below
  }

  #suspicion(name: string): ReturnType<CpeNotes['suspicion']> {
    return this.#isDiscovery ? this.#notes.suspicion(name) : 'none'
  }

  #take(): string[] {
    const { batch: limit } = this.#notes
    const part = this.#parts.shift()
    if (part === undefined) return (this.#fresh.length > 0 ? this.#fresh : this.#doubted).splice(0, limit)
    if (part.length > limit) this.#parts.unshift(part.slice(limit))
    return part.slice(0, limit)
  }

  /** Takes names that are doubted now from among the others, so that they do not fail these any more. */
  #putAsideDoubted(): void {
    const isDoubted = (name: string) => this.#suspicion(name) === 'several'
    for (const names of [this.#fresh, ...this.#parts]) {
      if (!names.some(isDoubted)) continue
      const rest = names.filter((name) => !isDoubted(name))
      this.#doubted.push(...names.filter(isDoubted))
      names.splice(0, names.length, ...rest)
    }
    const parts = this.#parts.filter(({ length }) => length > 0)
    this.#parts.splice(0, this.#parts.length, ...parts)
  }

  async #refusedAlone(session: Session, name: string, error: OutcomeError): Promise<PathOutcome[]> {
    if (error.code !== '9005') this.#notes.wasTheName()
    else if (name.endsWith('.')) return this.#objectRefused(session, name, error)
    else if (this.#isDiscovery) {
      this.#notes.suspect(name)
      this.#putAsideDoubted()
    }
    return [{ path: name, error }]
  }

  /**
   * Handles an object that the CPE calls unknown. Some CPE do so with every partial path: what it lists below the object
   * decides whether there is nothing. An empty table is no error.
   */
  async #objectRefused(session: Session, path: string, error: OutcomeError): Promise<PathOutcome[]> {
    const listed = await session.call('GetParameterNames', { ParameterPath: path, NextLevel: true })
    if (listed.ok && listed.body.ParameterList.some(({ Name }) => Name.startsWith(path) && Name !== path)) {
      this.#refused.push(path)
      return []
    }
    // A CPE that does not list the object either has not said that it is not there.
    if (!listed.ok && listed.fault.code !== 9005) return [{ path, error: faultError(listed.fault) }]
    return (await isEmpty(session, path, this.#types)) ? [] : [{ path, error }]
  }

  /**
   * Handles the end of a session. Where the CPE ended it over this batch, the next batch is smaller. A single name is
   * requested first in the next session; when that ends over it too, it is left out.
   */
  #interrupted(batch: string[], byCpe: boolean): void {
    const [only = ''] = batch
    if (byCpe && batch.length > 1) this.#notes.tooMany(batch.length >> 1)
    if (byCpe && batch.length === 1) {
      this.#notes.wasTheName()
      if (only.endsWith('.') && this.#notes.strike(only)) return
      const strikes = (this.#strikes.get(only) ?? 0) + 1
      this.#strikes.set(only, strikes)
      if (strikes >= 2) return this.#notes.leaveOut(only)
    }
    this.#parts.unshift(batch)
  }
}

/** All values of a list of names that an operator asks for, as the reader gets them; rejects when the session is over. */
export async function readValues(
  session: Session,
  paths: readonly string[],
  reader: ValueReader,
  notes: CpeNotes,
): Promise<PathOutcome[]> {
  reader.add(paths)
  const outcomes: PathOutcome[] = []
  while (reader.pending > 0) for (const outcome of await reader.next(session)) outcomes.push(outcome)
  for (const path of paths) {
    if (notes.skip.has(path)) outcomes.push({ path, error: LEFT_OUT })
  }
  return outcomes
}

/**
 * Returns true when an object that the CPE calls unknown (9005) is a table without rows: a known table, or one that the
 * CPE lists in the object above.
 */
export async function isEmpty(session: Session, path: string, types: ParameterTypes): Promise<boolean> {
  if (types.isTable(path)) return true
  const above = parentOf(path)
  if (above === '') return false
  const answer = await session.call('GetParameterNames', { ParameterPath: above, NextLevel: true })
  return answer.ok && answer.body.ParameterList.some(({ Name }) => Name === path)
}

/**
 * Returns the requested values, each once: values that were not requested are dropped, and a requested name without a
 * value is an error.
 */
export function answered(
  asked: readonly string[],
  values: readonly ParameterValue[],
  types: ParameterTypes,
): PathOutcome[] {
  const open = new Set(asked)
  // Mostly the values come as they were asked for, each once.
  if (values.length === asked.length && open.size === asked.length && values.every(({ name }, i) => name === asked[i]))
    return values.map(({ name, value, type }) => ({ path: name, value, type: types.typeOf(name, type) }))
  const objects = asked.filter((path) => path.endsWith('.'))
  const outcomes = new Map<string, PathOutcome>()
  for (const { name, value, type } of values.slice(0, MAX_ANSWERED)) {
    if (!(open.delete(name) || objects.some((object) => name.startsWith(object)))) continue
    outcomes.set(name, { path: name, value, type: types.typeOf(name, type) })
  }
  for (const path of open) if (!path.endsWith('.')) outcomes.set(path, { path, error: PASSED_OVER })
  return [...outcomes.values()]
}
