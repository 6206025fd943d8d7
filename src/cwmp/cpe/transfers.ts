import { type Clock, errorText } from '../../base/index.ts'
import type { RequestOf } from '../wire/index.ts'

/** A download the ACS asked for, from the request to the TransferComplete that was confirmed. */
export interface Transfer {
  commandKey: string
  fileType: string
  url: string
  username: string
  password: string
  /** When it may begin (ms). */
  dueAt: number
  /** Set once it has ended, well or badly. */
  ended?: { start: string; complete: string; faultCode: number; faultString: string }
}

/** The arguments of the TransferComplete for one that has ended; undefined: it has not (A.3.3.2). */
export function transferCompleteOf({ commandKey, ended }: Transfer): RequestOf<'TransferComplete'> | undefined {
  if (ended === undefined) return undefined
  return {
    CommandKey: commandKey,
    FaultStruct: { FaultCode: ended.faultCode, FaultString: ended.faultString },
    StartTime: ended.start,
    CompleteTime: ended.complete,
  }
}

/** Why a file did not come, as a fault of TransferComplete (9010, 9012, 9015-9019). */
export class TransferFault extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/** What a box does with a file. */
interface TransferEffects {
  /** Fetches it and puts it where it belongs; throws TransferFault. `restart`: it works after a reboot only. */
  fetch(transfer: Transfer): Promise<{ restart: boolean }>
  /** Another one has ended; `restart` says that the box must boot for it to work. */
  ended(transfer: Transfer, restart: boolean): void
  /** What is queued has changed and must outlive a power cut. */
  changed(): void
}

/** Queued downloads at once (TR-069 A.3.2.8 lets a CPE refuse more with 9004). */
const MAX_TRANSFERS = 16
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** The downloads of one CPE: one at a time, after their delay, begun again when the power went in between. */
export class Transfers {
  readonly #clock: Clock
  readonly #timeScale: number
  readonly #effects: TransferEffects
  #list: Transfer[] = []
  #cancel: (() => void) | undefined
  #busy = false
  #life = 0

  constructor(clock: Clock, timeScale: number, effects: TransferEffects) {
    this.#clock = clock
    this.#timeScale = timeScale
    this.#effects = effects
  }

  get full(): boolean {
    return this.#list.length >= MAX_TRANSFERS
  }

  add(request: RequestOf<'Download'>): void {
    this.#list.push({
      commandKey: request.CommandKey,
      fileType: request.FileType,
      url: request.URL,
      username: request.Username,
      password: request.Password,
      dueAt: this.#clock.now() + (request.DelaySeconds * 1000) / this.#timeScale,
    })
    this.#effects.changed()
  }

  /** Those that are over and not yet confirmed, in order. */
  toTell(): Transfer[] {
    return this.#list.filter((transfer) => transfer.ended !== undefined)
  }

  confirmed(transfer: Transfer): void {
    this.#list = this.#list.filter((other) => other !== transfer)
    this.#effects.changed()
  }

  /** Begins what is due. Called when a session is over, and at boot. */
  run(): void {
    this.#cancel?.()
    if (this.#busy) return
    const next = this.#list.filter(({ ended }) => ended === undefined).sort((a, b) => a.dueAt - b.dueAt)[0]
    if (next === undefined) return
    const wait = next.dueAt - this.#clock.now()
    if (wait > 0) {
      this.#cancel = this.#clock.after(wait, () => this.run())
      return
    }
    this.#busy = true
    const life = this.#life
    this.#transfer(next).then(
      (restart) => life === this.#life && this.#end(next, restart),
      () => undefined,
    )
  }

  /** Power off: what is under way begins anew at the next boot. */
  stop(): void {
    this.#life++
    this.#busy = false
    this.#cancel?.()
  }

  save(): Transfer[] {
    return structuredClone(this.#list)
  }

  load(transfers: readonly Transfer[]): void {
    this.#list = structuredClone([...transfers])
  }

  /** Fetches; what goes wrong stands in the transfer. Answers whether the box must restart. */
  async #transfer(transfer: Transfer): Promise<boolean> {
    const start = this.#time()
    const life = this.#life
    try {
      const { restart } = await this.#effects.fetch(transfer)
      if (life === this.#life) transfer.ended = { start, complete: this.#time(), faultCode: 0, faultString: '' }
      return restart
    } catch (error) {
      const faultCode = error instanceof TransferFault ? error.code : 9010
      if (life === this.#life)
        transfer.ended = { start, complete: UNKNOWN_TIME, faultCode, faultString: errorText(error).slice(0, 256) }
      return false
    }
  }

  #end(transfer: Transfer, restart: boolean): void {
    this.#busy = false
    this.#effects.changed()
    this.#effects.ended(transfer, restart)
    this.run()
  }

  #time(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+/, '')
  }
}
