/** Departures of one router from the normal course, each of which a client has to bear. May be changed at any time. */
export interface RouterFaults {
  /**
   * The cutting of answers into writes: byte by byte, each sentence cut inside a length prefix of two bytes or more,
   * each end mark alone, or all sentences of an answer at once.
   */
  delivery?: 'bytes' | 'splitLength' | 'splitEnd' | 'whole'
  /** Connections are taken, and nothing is ever answered. */
  isSilent?: boolean
  /** The connection ends in the middle of this sentence of the router, counted from 1 over the connection. */
  cut?: { sentence: number; by: 'fin' | 'rst' }
  /** `.tag` is the last word of a sentence instead of the second. */
  isTagLast?: boolean
  /** A row with the tag of a command comes after its `!done`. */
  sendsLateRow?: boolean
  /** Each refusal has two traps. */
  trapsTwice?: boolean
  /** Milliseconds by which each answer is late. */
  answerDelayMs?: number
  /** Milliseconds by which `!done` is later than the rows before it. */
  doneDelayMs?: number
  /** Login by challenge, as before 6.43; `reject`: a challenge is given, and each response refused. */
  legacyLogin?: 'off' | 'accept' | 'reject'
  /** The answer to a reboot or reset: `!done`, only the end of the connection, or nothing until TCP gives up. */
  rebootAnswer?: 'done' | 'nothing' | 'silence'
  /** Milliseconds for which a boot takes; ports refuse connections meanwhile. */
  bootMs?: number
  /** Events of single commands; each is used up. */
  steps?: FaultStep[]
}

/** Something that happens to the next commands of a path. */
interface FaultStep {
  path: string
  /** Commands that it happens to; default 1. */
  times?: number
  /**
   * `silence` and the ends of the connection come instead of the command, those that begin with `do` after it was
   * carried out and before anything of it is answered.
   */
  act:
    | 'silence'
    | 'fin'
    | 'rst'
    | 'doThenSilence'
    | 'doThenFin'
    | 'doThenRst'
    | { trap: string; category?: number }
    | { fatal: string }
}

/** Returns the step for a command of this path and counts it; undefined when none is left. */
export function takeStep(faults: RouterFaults, path: string): FaultStep['act'] | undefined {
  const step = faults.steps?.find((one) => one.path === path && (one.times ?? 1) > 0)
  if (step === undefined) return undefined
  step.times = (step.times ?? 1) - 1
  return step.act
}
