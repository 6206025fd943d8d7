import { timingSafeEqual } from 'node:crypto'

/** Makes a message authentication code in hex for a purpose; the key outlives this process. */
export type Mac = (purpose: string, text: string) => string

/** Hex digits of a code: 128 bits. */
const DIGITS = 32
const FORM = /^([0-9a-z]{1,10})\.([0-9a-f]{32})$/

/**
 * Codes over texts for one purpose, each good until a time that stands in it: `<time in base 36>.<32 hex digits>`. They
 * are stored nowhere, and are good at each instance with the same key, also after a restart.
 */
export class TimedCodes {
  readonly #purpose: string
  readonly #mac: Mac

  constructor(purpose: string, mac: Mac) {
    this.#purpose = purpose
    this.#mac = mac
  }

  /** Returns the code of a text until a time in milliseconds. */
  of(text: string, until: number): string {
    const code = this.#mac(this.#purpose, JSON.stringify([until, text])).slice(0, DIGITS)
    return `${until.toString(36)}.${code}`
  }

  /** Returns true for the code of this text, before its time. The time is judged last: any other code costs the same. */
  isGood(code: string, text: string, now: number): boolean {
    const [, time, digits = ''] = FORM.exec(code) ?? []
    if (time === undefined) return false
    const until = Number.parseInt(time, 36)
    const own = this.of(text, until).slice(-DIGITS)
    return timingSafeEqual(Buffer.from(digits), Buffer.from(own)) && now < until
  }
}
