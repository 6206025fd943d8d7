import type { RolloutCounters } from './plan.ts'

/**
 * A row of a table of states. `phase`: `before` the start, `forward` to the goal, `back` to the former state, or
 * `ended`: nothing happens by itself. `holds`: the claim of the state on its device, or `none`: its plan need not keep
 * the member.
 */
interface StateRow {
  phase: 'before' | 'forward' | 'back' | 'ended'
  holds: string
}

/**
 * The states of the members of a kind of rollout. Every list of states that a rollout uses is derived from the rows.
 */
export class StateTable<State extends string> {
  readonly #row: (state: State) => StateRow
  /** All states, in the order of the table. */
  readonly all: readonly State[]
  /** Something happens, or is waited for. */
  readonly open: readonly State[]
  /** The plan of such a member has a claim on the device. */
  readonly holding: readonly State[]
  readonly #before: readonly State[]
  readonly #forward: readonly State[]
  readonly #back: readonly State[]

  constructor(states: readonly State[], row: (state: State) => StateRow) {
    this.#row = row
    this.all = states
    this.open = states.filter((state) => row(state).phase !== 'ended')
    this.holding = states.filter((state) => row(state).holds !== 'none')
    this.#before = states.filter((state) => row(state).phase === 'before')
    this.#forward = states.filter((state) => row(state).phase === 'forward')
    this.#back = states.filter((state) => row(state).phase === 'back')
  }

  phase(state: State): StateRow['phase'] {
    return this.#row(state).phase
  }

  /** True between start and end. */
  isInFlight(state: State): boolean {
    const { phase } = this.#row(state)
    return phase === 'forward' || phase === 'back'
  }

  /** True when a member has not ended. */
  hasOpen({ states }: Pick<RolloutCounters, 'states'>): boolean {
    return this.open.some((state) => (states[state] ?? 0) > 0)
  }

  /** True when a member has not begun. */
  hasBefore({ states }: Pick<RolloutCounters, 'states'>): boolean {
    return this.#before.some((state) => (states[state] ?? 0) > 0)
  }

  /** True when a member holds its device. */
  hasHolding({ states }: Pick<RolloutCounters, 'states'>): boolean {
    return this.holding.some((state) => (states[state] ?? 0) > 0)
  }

  /** True when a member does not hold its device. */
  hasReleased({ states }: Pick<RolloutCounters, 'states'>): boolean {
    return this.all.some((state) => !this.holding.includes(state) && (states[state] ?? 0) > 0)
  }

  /** Places that are in use. A device that is being brought back and does not connect holds no place. */
  placesTaken({ states, waits }: Pick<RolloutCounters, 'states' | 'waits'>): number {
    const forward = this.#forward.reduce((sum, state) => sum + (states[state] ?? 0), 0)
    const back = this.#back.map((state) => Math.max(0, (states[state] ?? 0) - (waits[`${state}|offline`] ?? 0)))
    return back.reduce((sum, count) => sum + count, forward)
  }
}
