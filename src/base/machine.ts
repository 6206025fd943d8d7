/**
 * State machines as tables. A machine is its states, a table `state -> event -> next state`, and a reducer that also
 * yields effects. An event that the table does not know in that state is an error with both names in it, never silence.
 */
export type Table<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>

/** An event met a state that has no entry for it. */
export class IllegalTransition extends Error {
  readonly machine: string
  readonly state: string
  readonly event: string

  constructor(machine: string, state: string, event: string) {
    super(`${machine}: event ${event} is not allowed in state ${state}`)
    this.name = 'IllegalTransition'
    this.machine = machine
    this.state = state
    this.event = event
  }
}

/** The next state, or IllegalTransition. */
export function transition<State extends string, Event extends string>(
  machine: string,
  table: Table<State, Event>,
  state: State,
  event: Event,
): State {
  const next = table[state][event]
  if (next === undefined) throw new IllegalTransition(machine, state, event)
  return next
}
