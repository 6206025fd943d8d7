import type { Clock } from '../../../base/index.ts'
import type { RouterFaults } from '../basis/faults.ts'
import { Trap } from '../basis/trap.ts'
import type { Reply } from '../commands/command.ts'
import type { Outlet } from '../wire/outlet.ts'
import type { ApiRequest } from '../wire/request.ts'

/** A command of a client until its `!done`. */
export class RunningCommand implements Reply {
  readonly tag: string
  readonly #outlet: Outlet
  readonly #clock: Clock
  readonly #faults: RouterFaults
  readonly #onEnd: (command: RunningCommand) => void
  readonly #stops: (() => void)[] = []
  #isOver = false
  #isMute = false

  constructor(
    request: ApiRequest,
    outlet: Outlet,
    router: { clock: Clock; faults: RouterFaults },
    onEnd: (command: RunningCommand) => void,
  ) {
    this.tag = request.tag
    this.#outlet = outlet
    this.#clock = router.clock
    this.#faults = router.faults
    this.#onEnd = onEnd
  }

  row(values: Readonly<Record<string, string>>): void {
    if (!this.#isOver) this.#send('!re', attributesOf(values))
  }

  done(ret?: string): void {
    if (this.#isOver) return
    this.stop()
    const { doneDelayMs, sendsLateRow } = this.#faults
    const send = () => {
      this.#send('!done', ret === undefined ? [] : [`=ret=${ret}`])
      if (sendsLateRow === true) this.#send('!re', ['=.id=*1'])
    }
    if (doneDelayMs === undefined) send()
    else this.#clock.after(doneDelayMs, send)
    this.#onEnd(this)
  }

  /** Nothing was found, and the version says so. */
  empty(): void {
    if (!this.#isOver) this.#send('!empty', [])
  }

  refuse(trap: Trap): void {
    this.#trap(trap)
    this.done()
  }

  /** The first half of a cancel: the trap; `done` is the second. */
  interrupt(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#trap(new Trap('interrupted', 2))
  }

  onCancel(stop: () => void): void {
    this.#stops.push(stop)
  }

  /** Ends the connection with this reason. */
  fatal(reason: string): void {
    this.stop()
    this.#outlet.send(['!fatal', reason])
    this.#outlet.end()
    this.#onEnd(this)
  }

  /** The command runs and answers nothing. */
  mute(): void {
    this.#isMute = true
  }

  /** Ends all that runs for the command, without a word. */
  stop(): void {
    this.#isOver = true
    for (const stop of this.#stops.splice(0)) stop()
  }

  #trap(trap: Trap): void {
    if (this.#isOver) return
    const texts = this.#faults.trapsTwice === true ? [...trap.texts, { message: 'second trap' }] : trap.texts
    for (const { message, category } of texts)
      this.#send('!trap', [...(category === undefined ? [] : [`=category=${category}`]), `=message=${message}`])
  }

  #send(kind: string, attributes: readonly string[]): void {
    if (this.#isMute) return
    const tag = this.tag === '' ? [] : [`.tag=${this.tag}`]
    this.#outlet.send(this.#faults.isTagLast === true ? [kind, ...attributes, ...tag] : [kind, ...tag, ...attributes])
  }
}

function attributesOf(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `=${name}=${value}`)
}
