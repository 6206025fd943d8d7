import type { Clock, Random } from '../../base/index.ts'
import type { Row } from './basis/table.ts'
import { Trap } from './basis/trap.ts'
import { runScript } from './console/run-script.ts'
import { SyntaxRefusal } from './console/statements.ts'
import { profileOf, type RouterProfileName } from './profiles/index.ts'
import { RouterState } from './state/router-state.ts'

/** The end of a script: done, not read, or failed on the way with the text of the router. */
type ScriptEnd = { end: 'done' } | { end: 'syntax' | 'failed'; text: string }

const IDENTITY = '/system/identity'

/**
 * The configuration of a router as far as scripts of its TR-069 client change it. It is filled when the first script
 * runs.
 */
export class RouterScripts {
  readonly #profile: RouterProfileName
  readonly #serial: string
  readonly #clock: Clock
  readonly #random: Random
  #state: RouterState | undefined

  constructor(options: { profile: RouterProfileName; serial: string; clock: Clock; random: Random }) {
    this.#profile = options.profile
    this.#serial = options.serial
    this.#clock = options.clock
    this.#random = options.random
  }

  /** Runs a script on a router that has a name. Returns its end, and the name of the router after it. */
  run(text: string, name: string): ScriptEnd & { name: string } {
    const state = this.#made()
    const identity = () => state.store.table(IDENTITY)[0]
    const row = identity()
    if (row !== undefined) state.store.set(IDENTITY, row, { name })
    return { ...this.#end(state, text), name: identity()?.values.name ?? name }
  }

  /** Returns the rows of a table, such as `/user`. */
  rows(table: string): readonly Row['values'][] {
    return this.#made()
      .store.table(table)
      .map(({ values }) => values)
  }

  #end(state: RouterState, text: string): ScriptEnd {
    try {
      runScript(state, text)
      return { end: 'done' }
    } catch (error) {
      if (error instanceof SyntaxRefusal) return { end: 'syntax', text: error.message }
      if (error instanceof Trap) return { end: 'failed', text: error.message }
      throw error
    }
  }

  #made(): RouterState {
    this.#state ??= new RouterState({
      profile: profileOf(this.#profile),
      index: 0,
      serial: this.#serial,
      clock: this.#clock,
      random: this.#random,
      faults: {},
      users: [],
      upS: 0,
    })
    return this.#state
  }
}
