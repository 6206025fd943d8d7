import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import type { RouterOs } from '../../routeros/index.ts'
import type { AgentModel, ModelChange } from '../../usp/index.ts'
import type { BridgeMetrics } from '../metrics/bridge-metrics.ts'
import { isAboutInterests } from '../model/local-agent.ts'
import type { RouterModel } from '../model/router-model.ts'
import { type Interests, readInterests } from './interests.ts'
import { MenuListeners } from './menu-listeners.ts'
import { type Look, MAX_PARAMETERS, menusOf, objectsOf, type Places, placesOf } from './places.ts'
import type { PollSlots } from './poll-slots.ts'
import { type Difference, eventsIn } from './router-events.ts'
import { Crossings } from './thresholds.ts'
import { lookOf, together } from './wanted-look.ts'

interface WatchParts {
  router: RouterOs
  model: RouterModel
  /** The part of the model that holds subscriptions and thresholds. */
  local: Pick<AgentModel, 'instances' | 'get' | 'changes'> & {
    put(values: Readonly<Record<string, string>>): Promise<void>
  }
  slots: PollSlots
  metrics: Pick<BridgeMetrics, 'looked'>
  clock: Clock
  random: Random
  log: Log
}

/** Pause between two looks at a router that has a place for frequent looks, and at one that has not. */
const FAST_MS = 1000
const SLOW_MS = 10_000
/** More parameters than these are not looked at each second. */
const FAST_PARAMETERS = 500
/**
 * Part by which a pause is shorter or longer: routers that were reached at the same time are not looked at together
 * again and again.
 */
const JITTER = 0.1
/** A request waits no longer for the first look at what it subscribes to. */
const MAX_WAIT_MS = 5000
/** Changes that come together are looked at together. */
const SOON_MS = 100
/** References of all subscriptions and thresholds that are looked at; those behind them are left out. */
const MAX_REFERENCES = 1000
const NOTHING: Interests = { subscribed: [], thresholds: [] }

/**
 * Finds the changes of a router that its Controllers want to know of: looks at the tables of their subscriptions again
 * and again, at once where the router tells that rows have changed. The first look at a thing shows no change.
 */
export class RouterWatch {
  readonly #parts: WatchParts
  /** With the places that each wants to be looked at, beside those of the subscriptions. */
  readonly #listeners = new Map<(change: ModelChange) => void, Look>()
  readonly #menus: MenuListeners
  readonly #crossings = new Crossings()
  #interests: Interests = NOTHING
  #isStale = true
  #tables: Places['tables'] = new Map()
  #values: ReadonlyMap<string, string> = new Map()
  #leaveSlot: (() => void) | undefined
  #cancel: (() => void) | undefined
  /** Time of the next look, where there is one. */
  #due = 0
  /** Time before which there is none. */
  #restUntil = 0
  #isLooking = false
  /** Something has changed during a look. */
  #isAgain = false
  #isReached = false
  #isWarned = false
  #endLocal: (() => void) | undefined
  /** Requests that wait for the next look. */
  #awaiting: (() => void)[] = []

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#menus = new MenuListeners(parts.router, () => this.soon())
  }

  /**
   * Calls back after each change of the places that are subscribed, and of others that a listener is about. Returns the
   * function that ends this; nothing is looked at without a listener.
   */
  changes(listener: (change: ModelChange) => void, look: Look = { rows: [], values: [] }): () => void {
    this.#listeners.set(listener, look)
    this.#endLocal ??= this.#parts.local.changes((change) => {
      if (!isAboutInterests(change.path)) return
      this.#isStale = true
      this.#in(SOON_MS)
    })
    this.#in(SOON_MS)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#rest()
    }
  }

  /** Looks while the router is reached. Changes in the meantime are noticed when it is reached again. */
  setReached(isReached: boolean): void {
    this.#isReached = isReached
    if (isReached) this.#in(SOON_MS)
    else {
      this.#pause()
      this.#release(this.#awaiting)
    }
  }

  /** Looks soon: something has changed. */
  soon(): void {
    this.#in(SOON_MS)
  }

  /**
   * Resolves when everything that is subscribed now was looked at, so that a change from then on is noticed. At once
   * while the router is not reached; after some seconds when it is slow.
   */
  looked(): Promise<void> {
    if (!this.#isReached || this.#listeners.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(MAX_WAIT_MS, resolve)
      this.#awaiting.push(() => {
        cancel()
        resolve()
      })
      this.#restUntil = 0
      this.#in(0)
    })
  }

  /** Ends all looks. */
  stop(): void {
    this.#listeners.clear()
    this.#rest()
  }

  #rest(): void {
    this.#endLocal?.()
    this.#endLocal = undefined
    this.#isStale = true
    this.#pause()
    this.#release(this.#awaiting)
  }

  #pause(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#menus.stop()
    this.#leaveSlot?.()
    this.#leaveSlot = undefined
  }

  #release(awaiting: readonly (() => void)[]): void {
    this.#awaiting = this.#awaiting.filter((done) => !awaiting.includes(done))
    for (const done of awaiting) done()
  }

  #in(ms: number): void {
    if (!this.#isReached || this.#listeners.size === 0 || this.#isLooking) {
      this.#isAgain ||= this.#isLooking
      return
    }
    const now = this.#parts.clock.now()
    const due = Math.max(now + ms, this.#restUntil)
    // A router that tells of changes all the time does not put the look off.
    if (this.#cancel !== undefined && this.#due <= due) return
    this.#cancel?.()
    this.#due = due
    this.#cancel = this.#parts.clock.after(due - now, () => void this.#go())
  }

  async #go(): Promise<void> {
    this.#cancel = undefined
    this.#isLooking = true
    const { clock, random } = this.#parts
    const begin = clock.now()
    const awaiting = this.#awaiting
    this.#awaiting = []
    let pause = SLOW_MS
    try {
      pause = await this.#look()
    } catch (error) {
      this.#parts.log.debug({ reason: errorText(error) }, 'a router was not looked at for changes')
    } finally {
      this.#isLooking = false
      // A look that took long is followed by a rest as long, whatever the router tells.
      this.#restUntil = clock.now() + Math.min(clock.now() - begin, SLOW_MS)
    }
    this.#release(awaiting)
    const isAwaited = this.#awaiting.length > 0
    if (isAwaited) this.#restUntil = 0
    const next = isAwaited ? 0 : this.#isAgain ? SOON_MS : pause * (1 - JITTER + 2 * JITTER * random.fraction())
    this.#isAgain = false
    if (Number.isFinite(next)) this.#in(next)
  }

  /** Looks once, and resolves with the pause until the next look; without an end when nothing is to be looked at. */
  async #look(): Promise<number> {
    const { model, local, metrics } = this.#parts
    if (this.#isStale) {
      this.#isStale = false
      this.#interests = await readInterests(local)
    }
    const all = lookOf(this.#interests)
    const rows = all.rows.slice(0, MAX_REFERENCES)
    const subscribed = { rows, values: all.values.slice(0, MAX_REFERENCES - rows.length) }
    if (all.rows.length + all.values.length > MAX_REFERENCES)
      this.#warn('subscriptions of a router have more references than are looked at')
    const wanted = together([subscribed, ...this.#listeners.values()])
    if (wanted.rows.length + wanted.values.length === 0) {
      this.#tables = new Map()
      this.#values = new Map()
      this.#pause()
      return Number.POSITIVE_INFINITY
    }
    const { menus, supported } = await model.found()
    menus.forget()
    const places = await placesOf(model, wanted)
    const values = places.parameters.size === 0 ? new Map<string, string>() : await model.get([...places.parameters])
    if (!this.#isReached) return SLOW_MS
    this.#compare(places.tables, values)
    await this.#cross(values)
    const objects = objectsOf(places)
    for (const object of objects) metrics.looked(object)
    this.#menus.follow(menusOf(objects, supported))
    return this.#pace(places.parameters.size, subscribed.rows.length + subscribed.values.length > 0)
  }

  #pace(parameters: number, isSubscribed: boolean): number {
    if (parameters >= MAX_PARAMETERS) this.#warn('subscriptions of a router mean more parameters than are looked at')
    if (parameters > FAST_PARAMETERS || !isSubscribed) {
      this.#leaveSlot?.()
      this.#leaveSlot = undefined
      return SLOW_MS
    }
    this.#leaveSlot ??= this.#parts.slots.take()
    return this.#leaveSlot === undefined ? SLOW_MS : FAST_MS
  }

  #warn(text: string): void {
    if (!this.#isWarned) this.#parts.log.warn({}, text)
    this.#isWarned = true
  }

  #compare(tables: Places['tables'], is: ReadonlyMap<string, string>): void {
    const difference: Difference = {
      created: [...tables].flatMap(([table, rows]) => lacking(rows, this.#tables.get(table))),
      deleted: [...this.#tables].flatMap(([table, rows]) => lacking(rows, tables.get(table))),
      changed: [...is].flatMap(([path, value]) => {
        const before = this.#values.get(path)
        return before === undefined || before === value ? [] : path
      }),
      was: this.#values,
      is,
    }
    this.#tables = tables
    this.#values = is
    for (const path of difference.deleted) this.#tell({ kind: 'deleted', path })
    for (const path of difference.created) this.#tell({ kind: 'created', path })
    for (const path of difference.changed) {
      const [value = '', previous = ''] = [is.get(path), difference.was.get(path)]
      this.#tell({ kind: 'value', path, value, previous })
    }
    for (const { object, name, params } of eventsIn(difference))
      this.#tell({ kind: 'event', path: object, name, params })
  }

  async #cross(values: ReadonlyMap<string, string>): Promise<void> {
    const crossed = this.#crossings.take(this.#interests.thresholds, values)
    const once = new Set<string>()
    for (const { threshold, path, value } of crossed) {
      if (threshold.once && once.has(threshold.row)) continue
      if (threshold.once) once.add(threshold.row)
      this.#tell({
        kind: 'event',
        path: threshold.row,
        name: 'Triggered!',
        params: { ParamPath: path, ParamValue: value },
        only: { controller: threshold.controller, parameter: path },
      })
    }
    if (once.size > 0)
      await this.#parts.local.put(Object.fromEntries([...once].map((row) => [`${row}Enable`, 'false'])))
  }

  #tell(change: ModelChange): void {
    for (const listener of this.#listeners.keys()) listener(change)
  }
}

/** Returns the rows that a table did not have before; none for a table that was not looked at before. */
function lacking(rows: ReadonlySet<string>, before: ReadonlySet<string> | undefined): string[] {
  return before === undefined ? [] : [...rows].filter((row) => !before.has(row))
}
