import { PeerFault, ProtocolError } from '../../../base/index.ts'
import { rootOf } from '../../../datamodel/index.ts'
import { type OutcomeError, outcomeError, type PathOutcome } from '../../../domain/index.ts'
import { isEndedByCpe, type Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import type { CpeNotes } from './cpe-notes.ts'
import { answered, isEmpty, LEFT_OUT, type NamesOf, ValueReader } from './read-values.ts'

/** The way to list the tree: level by level, or whole subtrees at once. */
export type DiscoveryMode = 'walk' | 'subtree'

const MAX_PARAMETERS = 20_000
const MAX_OBJECTS = 10_000

/**
 * An object to be read: by the names of its next level and of each level below, by all names below it at once, by its
 * next level with the objects there at once, or by the values below it.
 */
interface Todo {
  path: string
  by: 'level' | 'whole' | 'step' | 'values'
  /** The reason that its names could not be listed. */
  error?: OutcomeError
}

/** The start of a walk. */
interface WalkStart {
  root: string
  mode: DiscoveryMode
  /** Objects to be read alone; without them all below the root. */
  only?: readonly string[]
  /** The purpose of the walk: a discovery unless it answers a get. */
  names?: NamesOf
}

/**
 * Names and values below one object, one RPC after the other. It can go on in another session where one ended, and has
 * then lost nothing: a tree of thousands of objects, or a CPE that drops its session now and then, gets done. An object
 * whose names the CPE does not list is read by its values (a partial path, A.3.2.2), and so is a tree whose names led
 * to no value.
 */
export class Walk {
  readonly root: string
  /** The objects that it reads: the root, or parts of it. */
  readonly objects: readonly string[]
  readonly #notes: CpeNotes
  readonly #reader: ValueReader
  readonly #queue: Todo[]
  readonly #known = new Set<string>()
  readonly #writable = new Map<string, boolean>()
  readonly #strikes = new Map<string, number>()
  readonly #unlisted: PathOutcome[] = []
  readonly #types: ParameterTypes
  /** Other ways to read the root, while nothing was found. */
  readonly #fallbacks: Todo['by'][]
  #objectCount = 0
  #parameters = 0
  #values = 0
  #steps = 0

  constructor({ root, mode, only, names = 'discovery' }: WalkStart, types: ParameterTypes, notes: CpeNotes) {
    this.root = root
    this.objects = only ?? [root]
    this.#notes = notes
    this.#types = types
    this.#reader = new ValueReader(types, notes, names)
    const by = mode === 'subtree' ? 'whole' : 'level'
    this.#queue = this.objects.map((path) => ({ path, by }))
    // Another object may be empty; a root never is.
    this.#fallbacks = only !== undefined || !isRoot(root) ? [] : [by === 'whole' ? 'level' : 'whole', 'values']
  }

  /** Requests that were answered. */
  get steps(): number {
    return this.#steps
  }

  /** True when nothing was cut off at a limit. Objects that cannot be listed do not count. */
  get isComplete(): boolean {
    return this.#parameters < MAX_PARAMETERS && this.#objectCount < MAX_OBJECTS
  }

  /** True when no value was read. */
  get foundNothing(): boolean {
    return this.#values === 0
  }

  /** Objects that could not be read: below them nothing is known. */
  get unlisted(): readonly PathOutcome[] {
    return this.#unlisted
  }

  /** Everything the CPE listed, with or without a value that could be read, and what it did not let be listed. */
  get seen(): PathOutcome[] {
    return [...Array.from(this.#known, (path): PathOutcome => ({ path })), ...this.#unlisted]
  }

  /**
   * One request. Returns the values it brought; undefined when all is read. Rejects with the session, or with the
   * root's own fault.
   */
  async step(session: Session): Promise<PathOutcome[] | undefined> {
    const todo = this.#reader.isFull ? undefined : (this.#queue.shift() ?? this.#fallback())
    if (todo !== undefined) {
      const outcomes = todo.by === 'values' ? await this.#read(session, todo) : await this.#list(session, todo, todo.by)
      this.#steps++
      return outcomes
    }
    if (this.#reader.pending === 0) return undefined
    const outcomes = await this.#reader.next(session)
    this.#steps++
    for (const outcome of outcomes) {
      const writable = this.#writable.get(outcome.path)
      if (writable !== undefined) outcome.writable = writable
      this.#writable.delete(outcome.path)
      if (outcome.value !== undefined) this.#values++
    }
    return outcomes
  }

  #fallback(): Todo | undefined {
    if (this.#values > 0 || this.#reader.pending > 0 || !this.isComplete) return undefined
    const by = this.#fallbacks.shift()
    if (by === undefined) return undefined
    this.#unlisted.length = 0
    return { path: this.root, by }
  }

  async #list(session: Session, todo: Todo, wanted: 'level' | 'whole' | 'step'): Promise<PathOutcome[]> {
    const { path } = todo
    if (this.#notes.skip.has(path)) {
      this.#unlisted.push({ path, error: LEFT_OUT })
      return []
    }
    const { notWhole, walkOnly } = this.#notes
    const whole = wanted === 'whole' && !walkOnly && !(notWhole && isRoot(path))
    try {
      const answer = await session.call('GetParameterNames', { ParameterPath: path, NextLevel: !whole })
      if (answer.ok) this.#take(path, whole, wanted, answer.body.ParameterList)
      else await this.#refused(session, path, whole, faultError(answer.fault))
    } catch (error) {
      if (error instanceof PeerFault) throw error
      if (!(error instanceof ProtocolError)) {
        this.#interrupted(todo, whole, isEndedByCpe(error))
        throw error
      }
      // An answer that makes no sense: the session goes on.
      await this.#refused(session, path, whole, outcomeError('protocolError', error.message, true))
    }
    return []
  }

  /** All values below an object with one request. */
  async #read(session: Session, todo: Todo): Promise<PathOutcome[]> {
    const { path } = todo
    let error: OutcomeError
    try {
      const answer = await session.call('GetParameterValues', { ParameterNames: [path] })
      if (answer.ok) return this.#takeValues(todo, answered([path], answer.body.ParameterList, this.#types))
      error = faultError(answer.fault)
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) {
        this.#interrupted(todo, false, isEndedByCpe(cause))
        throw cause
      }
      error = outcomeError('protocolError', cause.message, true)
    }
    // The root is judged when nothing is left to be tried.
    if (path !== this.root) this.#unlisted.push({ path, error: todo.error ?? error })
    return []
  }

  #takeValues({ path, error }: Todo, outcomes: PathOutcome[]): PathOutcome[] {
    const taken = outcomes.filter((outcome) => outcome.path !== path && !this.#known.has(outcome.path))
    for (const outcome of taken) this.#known.add(outcome.path)
    this.#notes.answeredValues(outcomes)
    this.#parameters += taken.length
    this.#values += taken.length
    if (taken.length === 0 && error !== undefined) this.#unlisted.push({ path, error })
    return taken
  }

  /**
   * The object cannot be listed so: its next level alone, or by its values. An empty table is called unknown by many
   * CPE.
   */
  async #refused(session: Session, path: string, whole: boolean, error: OutcomeError): Promise<void> {
    if (whole) {
      this.#notes.refusedWhole(isRoot(path))
      // A part of it may be small enough.
      return void this.#queue.unshift({ path, by: 'step' })
    }
    const isTop = path === this.root
    // One below the root was listed by the object above, so nothing else can list it.
    const empty =
      error.code === '9005' && (isTop ? await isEmpty(session, path, this.#types) : this.#types.isTable(path))
    if (empty) return
    if (isTop) throw new PeerFault(Number(error.code) || 9002, error.text, { retryable: error.retryable })
    this.#queue.unshift({ path, by: 'values', error })
  }

  #interrupted(todo: Todo, whole: boolean, byCpe: boolean): void {
    if (!byCpe) return void this.#queue.unshift(todo)
    if (whole) {
      this.#notes.diedOfWhole(isRoot(todo.path))
      this.#queue.unshift({ ...todo, by: 'step' })
      return
    }
    const key = todo.by === 'values' ? `${todo.path}*` : todo.path
    const strikes = (this.#strikes.get(key) ?? 0) + 1
    this.#strikes.set(key, strikes)
    // Asked first in the next session. An object that ends that one, too, is left out; the root is not.
    if (strikes < 2 || (todo.path === this.root && todo.by !== 'values')) return void this.#queue.unshift(todo)
    if (todo.path === this.root) return
    this.#notes.leaveOut(todo.path)
    this.#unlisted.push({ path: todo.path, error: LEFT_OUT })
  }

  /**
   * Returns the test for objects that are listed without the dot after them, as some CPE do: something is listed below
   * them, or the model has them. An object that the model does not have has no others in it.
   */
  #undotted(objects: ReadonlySet<string>): (listed: string) => boolean {
    let above = ''
    let isKnown = false
    return (listed) => {
      if (listed.endsWith('.')) return false
      const end = listed.lastIndexOf('.') + 1
      if (end !== above.length || !listed.startsWith(above)) {
        above = listed.slice(0, end)
        isKnown = this.#types.knowsObject(above)
      }
      return objects.has(`${listed}.`) || (isKnown && this.#types.knowsObject(`${listed}.`))
    }
  }

  #take(path: string, whole: boolean, by: Todo['by'], list: { Name: string; Writable: boolean }[]): void {
    // Some CPE list everything below, also with NextLevel true.
    const all = whole || list.some(({ Name }) => Name.startsWith(path) && isDeeper(Name.slice(path.length)))
    const objects = objectsOf(list)
    const found: string[] = []
    const isObject = this.#undotted(objects)
    for (const { Name: listed, Writable } of list) {
      if (!this.isComplete) break
      const Name = isObject(listed) ? `${listed}.` : listed
      if (!Name.startsWith(path) || Name === path || this.#known.has(Name)) continue
      this.#known.add(Name)
      if (Name.endsWith('.')) {
        this.#objectCount++
        if (!all) this.#queue.push({ path: Name, by: by === 'step' ? 'whole' : by })
      } else {
        this.#parameters++
        this.#writable.set(Name, Writable)
        found.push(Name)
      }
    }
    this.#reader.add(found)
  }
}

/** The objects that hold what is listed. */
function objectsOf(list: readonly { Name: string }[]): Set<string> {
  const objects = new Set<string>()
  let last = ''
  for (const { Name } of list) {
    // The names of one object mostly come together.
    const end = Name.lastIndexOf('.', Name.length - 2) + 1
    if (end === last.length && Name.startsWith(last)) continue
    last = Name.slice(0, end)
    objects.add(last)
  }
  return objects
}

/** True for a root of a data model: it is never empty. */
export function isRoot(path: string): boolean {
  return rootOf(path) === path
}

/** More than one level below: `A.B` or `A.B.`, not `A` or `A.`. */
function isDeeper(rest: string): boolean {
  const dot = rest.indexOf('.')
  return dot >= 0 && dot < rest.length - 1
}
