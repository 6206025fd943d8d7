import { PeerFault, ProtocolError } from '../../base/index.ts'
import { type OutcomeError, outcomeError, type PathOutcome } from '../../device/index.ts'
import type { BoxNotes } from './box-notes.ts'
import { isEmpty, LEFT_OUT, ValueReader } from './read-values.ts'
import { isEndedByBox, type Session } from './session.ts'
import { faultError, type ParameterTypes } from './values.ts'

/** How the tree is listed: level by level, or as much as the box gives at once. */
export type DiscoveryMode = 'walk' | 'subtree'

const MAX_PARAMETERS = 20_000
const MAX_OBJECTS = 10_000

/** An object to be listed; `whole` with all that is below it. */
interface Todo {
  path: string
  whole: boolean
}

/**
 * Names and values below one object, one RPC after the other. It can go on in another session where one ended, and has then lost nothing:
 * a tree of thousands of objects, or a box that drops its session now and then, gets done.
 */
export class Walk {
  readonly root: string
  readonly #notes: BoxNotes
  readonly #reader: ValueReader
  readonly #queue: Todo[]
  readonly #known = new Set<string>()
  readonly #writable = new Map<string, boolean>()
  readonly #strikes = new Map<string, number>()
  readonly #unlisted: PathOutcome[] = []
  readonly #types: ParameterTypes
  #objects = 0
  #parameters = 0
  #steps = 0

  constructor(root: string, mode: DiscoveryMode, types: ParameterTypes, notes: BoxNotes) {
    this.root = root
    this.#notes = notes
    this.#types = types
    this.#reader = new ValueReader(types, notes)
    this.#queue = [{ path: root, whole: mode === 'subtree' }]
  }

  /** Requests that were answered. */
  get steps(): number {
    return this.#steps
  }

  /** Whether it went over all there is: nothing was cut off at a limit. What cannot be listed is no matter of this. */
  get isComplete(): boolean {
    return this.#parameters < MAX_PARAMETERS && this.#objects < MAX_OBJECTS
  }

  /** Objects that could not be listed: below them nothing is known. */
  get unlisted(): readonly PathOutcome[] {
    return this.#unlisted
  }

  /** Everything the box listed, whether or not its value could be read, and what it did not let be listed. */
  get seen(): PathOutcome[] {
    return [...Array.from(this.#known, (path): PathOutcome => ({ path })), ...this.#unlisted]
  }

  /** One request. Answers the values it brought; undefined when all is read. Rejects with the session, or with the root's own fault. */
  async step(session: Session): Promise<PathOutcome[] | undefined> {
    const todo = this.#reader.isFull ? undefined : this.#queue.shift()
    if (todo !== undefined) {
      await this.#list(session, todo)
      this.#steps++
      return []
    }
    if (this.#reader.pending === 0) return undefined
    const outcomes = await this.#reader.next(session)
    this.#steps++
    for (const outcome of outcomes) {
      const writable = this.#writable.get(outcome.path)
      if (writable !== undefined) outcome.writable = writable
      this.#writable.delete(outcome.path)
    }
    return outcomes
  }

  async #list(session: Session, todo: Todo): Promise<void> {
    const { path } = todo
    if (this.#notes.skip.has(path)) return void this.#unlisted.push({ path, error: LEFT_OUT })
    const whole = todo.whole && !this.#notes.walkOnly
    try {
      const answer = await session.call('GetParameterNames', { ParameterPath: path, NextLevel: !whole })
      if (answer.ok) return this.#take(path, whole, todo.whole, answer.body.ParameterList)
      await this.#refused(session, path, whole, faultError(answer.fault))
    } catch (error) {
      // An answer that makes no sense: the session goes on.
      if (error instanceof ProtocolError)
        return this.#refused(session, path, whole, outcomeError('protocolError', error.message, true))
      if (error instanceof PeerFault) throw error
      this.#interrupted(todo, whole, isEndedByBox(error))
      throw error
    }
  }

  /** The object cannot be listed so: its next level alone, or nothing of it. An empty table is called unknown by many boxes. */
  async #refused(session: Session, path: string, whole: boolean, error: OutcomeError): Promise<void> {
    if (whole) return void this.#queue.unshift({ path, whole: false })
    const isRoot = path === this.root
    // One below the root was listed by the object above, so there is nobody more to ask.
    const empty =
      error.code === '9005' && (isRoot ? await isEmpty(session, path, this.#types) : this.#types.isTable(path))
    if (empty) return
    if (isRoot) throw new PeerFault(Number(error.code) || 9002, error.text, { retryable: error.retryable })
    this.#unlisted.push({ path, error })
  }

  #interrupted(todo: Todo, whole: boolean, byBox: boolean): void {
    if (!byBox) return void this.#queue.unshift(todo)
    if (whole) {
      this.#notes.walkOnly = true
      this.#queue.unshift({ ...todo, whole: false })
      return
    }
    const strikes = (this.#strikes.get(todo.path) ?? 0) + 1
    this.#strikes.set(todo.path, strikes)
    // Asked first in the next session; when that ends over it too, it is left out, but for the root, without which there is nothing.
    if (strikes < 2 || todo.path === this.root) this.#queue.unshift(todo)
    else {
      this.#notes.leaveOut(todo.path)
      this.#unlisted.push({ path: todo.path, error: LEFT_OUT })
    }
  }

  #take(path: string, whole: boolean, childrenWhole: boolean, list: { Name: string; Writable: boolean }[]): void {
    // Some boxes give everything below, whatever level was asked for.
    const all = whole || list.some(({ Name }) => Name.startsWith(path) && isDeeper(Name.slice(path.length)))
    const names: string[] = []
    for (const { Name, Writable } of list) {
      if (!this.isComplete) break
      if (!Name.startsWith(path) || Name === path || this.#known.has(Name)) continue
      this.#known.add(Name)
      if (Name.endsWith('.')) {
        this.#objects++
        if (!all) this.#queue.push({ path: Name, whole: childrenWhole })
      } else {
        this.#parameters++
        this.#writable.set(Name, Writable)
        names.push(Name)
      }
    }
    this.#reader.add(names)
  }
}

/** More than one level below: `A.B` or `A.B.`, not `A` or `A.`. */
function isDeeper(rest: string): boolean {
  const dot = rest.indexOf('.')
  return dot >= 0 && dot < rest.length - 1
}
