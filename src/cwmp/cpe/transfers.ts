import { type Clock, errorText } from '../../base/index.ts'
import type { RequestOf } from '../wire/index.ts'

/** A download that the ACS asked for, from the request to the confirmed TransferComplete. */
export interface Transfer {
  commandKey: string
  fileType: string
  url: string
  username: string
  password: string
  /** Earliest start, in milliseconds of the clock of the CPE. */
  dueAt: number
  /** Set when it has ended, with or without a fault. */
  ended?: { start: string; complete: string; faultCode: number; faultString: string }
}

/**
 * A transfer as it survives a restart of the process: with the rest of its delay, because another process may have
 * another clock.
 */
export type SavedTransfer = Omit<Transfer, 'dueAt'> & {
  /** Milliseconds; undefined: it is due. */
  waitMs?: number
}

/** Returns the arguments of the TransferComplete of a transfer (TR-069 A.3.3.2); undefined when it has not ended. */
export function transferCompleteOf({ commandKey, ended }: Transfer): RequestOf<'TransferComplete'> | undefined {
  if (ended === undefined) return undefined
  return {
    CommandKey: commandKey,
    FaultStruct: { FaultCode: ended.faultCode, FaultString: ended.faultString },
    StartTime: ended.start,
    CompleteTime: ended.complete,
  }
}

/** The reason why a file did not arrive, as a fault of TransferComplete (9010, 9012, 9015 to 9019). */
export class TransferFault extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/** The device behind the transfers of its CPE. */
interface TransferEffects {
  /**
   * Fetches a file and installs it; rejects with TransferFault. `restart` means that it takes effect after a reboot.
   */
  fetch(transfer: Transfer): Promise<{ restart: boolean }>
  /** A transfer has ended; `restart` means that the device must boot for it to take effect. */
  ended(transfer: Transfer, restart: boolean): void
  /** The list of transfers has changed; it must survive a power cut. */
  changed(): void
}

/** Queued downloads at once; more are refused with 9004 (TR-069 A.3.2.8). */
const MAX_TRANSFERS = 16
const UNKNOWN_TIME = '0001-01-01T00:00:00Z'

/** The downloads of one CPE: one at a time, after their delay; a download that a power cut ended begins again. */
export class Transfers {
  readonly #clock: Clock
  readonly #wallClock: Clock
  readonly #effects: TransferEffects
  #list: Transfer[] = []
  #cancel: (() => void) | undefined
  #busy = false
  #life = 0

  /** `clock` is that of delays, `wallClock` that of the times in TransferComplete. */
  constructor(clock: Clock, wallClock: Clock, effects: TransferEffects) {
    this.#clock = clock
    this.#wallClock = wallClock
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
      dueAt: this.#clock.now() + request.DelaySeconds * 1000,
    })
    this.#effects.changed()
  }

  /** Returns the transfers that have ended and are not confirmed, in order. */
  toReport(): Transfer[] {
    return this.#list.filter((transfer) => transfer.ended !== undefined)
  }

  confirmed(transfer: Transfer): void {
    this.#list = this.#list.filter((other) => other !== transfer)
    this.#effects.changed()
  }

  /** Begins the next transfer that is due. Called at the end of a session, and at boot. */
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

  /** Power off: the transfer under way begins again at the next boot. */
  stop(): void {
    this.#life++
    this.#busy = false
    this.#cancel?.()
  }

  save(): SavedTransfer[] {
    const now = this.#clock.now()
    return structuredClone(
      this.#list.map(({ dueAt, ...transfer }) => ({ ...transfer, ...(dueAt > now ? { waitMs: dueAt - now } : {}) })),
    )
  }

  load(transfers: readonly SavedTransfer[]): void {
    const now = this.#clock.now()
    this.#list = structuredClone(transfers.map(({ waitMs = 0, ...transfer }) => ({ ...transfer, dueAt: now + waitMs })))
  }

  /** Fetches one file; a fault is stored in the transfer. Resolves with true when the device must restart. */
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
    return new Date(this.#wallClock.now()).toISOString().replace(/\.\d+/, '')
  }
}
