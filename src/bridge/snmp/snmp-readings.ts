import { type Clock, errorText } from '../../base/index.ts'
import { type SnmpLogin, type SnmpUse, snmpLoginProblem } from '../../domain/index.ts'
import { openSnmp, type RouterTelemetry, type RouterTelemetrySource } from '../../routeros/index.ts'

/** The settings of SNMP in the row of a router. */
interface SnmpSettings {
  readonly use: SnmpUse
  readonly host: string
  readonly port?: number | undefined
  /** Undefined: there is none, and nothing is read. */
  readonly login: SnmpLogin | undefined
}

interface SnmpReadingsParts {
  settings: SnmpSettings
  /** The serial number of the router; undefined while it is not known: nothing is taken then. */
  serial(): string | undefined
  clock: Clock
  /** Called when `words` has changed. */
  onChange(): void
}

/** A reading is given again for this time. */
const HOLD_MS = 3000
const DEADLINE_MS = 10_000
/** A router that does not answer over SNMP is asked again after this time. */
const RETRY_MS = 60_000

/** Readings of one router over SNMP. It is asked when a value is wanted, one reading at a time, and never written to. */
export class SnmpReadings {
  readonly #parts: SnmpReadingsParts
  readonly #source: RouterTelemetrySource | undefined
  readonly #stopped = new AbortController()
  #last: { at: number; reading: RouterTelemetry } | undefined
  #reading: Promise<RouterTelemetry | undefined> | undefined
  #failedAt: number | undefined
  #words: string

  constructor(parts: SnmpReadingsParts) {
    this.#parts = parts
    const { use, host, port, login } = parts.settings
    const problem = login === undefined ? 'the row has no community and no user of SNMP' : snmpLoginProblem(login)
    if (login !== undefined && problem === undefined)
      this.#source = openSnmp({ host, login, ...(port === undefined ? {} : { port }) }, parts)
    this.#words =
      problem ??
      (use === 'prefer' ? 'used for measured values' : 'used where the connection cannot read a measured value')
  }

  /** True: SNMP comes before the connection to the router. */
  get isPreferred(): boolean {
    return this.#parts.settings.use === 'prefer'
  }

  /** The state of SNMP for a person. */
  get words(): string {
    return `snmp: ${this.#words}`
  }

  /** Resolves with a reading that is some seconds old at most; undefined when there is none. Never rejects. */
  async read(): Promise<RouterTelemetry | undefined> {
    const now = this.#parts.clock.now()
    if (this.#source === undefined || this.#stopped.signal.aborted) return undefined
    if (this.#last !== undefined && now - this.#last.at < HOLD_MS && now >= this.#last.at) return this.#last.reading
    if (this.#failedAt !== undefined && now - this.#failedAt < RETRY_MS && now >= this.#failedAt) return undefined
    this.#reading ??= this.#read(this.#source).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Ends a reading that is under way. */
  stop(): void {
    this.#stopped.abort()
  }

  async #read(source: RouterTelemetrySource): Promise<RouterTelemetry | undefined> {
    const { clock, serial } = this.#parts
    this.#last = undefined
    try {
      const reading = await source.read({ deadlineMs: DEADLINE_MS, signal: this.#stopped.signal })
      const own = serial()
      // A virtual router shows no serial number: its address is all there is.
      if (reading.serial !== undefined && reading.serial !== '' && reading.serial !== own)
        throw new Error('a router with another serial number answers: see address and snmp_port of the row')
      if (own === undefined) return undefined
      this.#failedAt = undefined
      this.#last = { at: clock.now(), reading }
      this.#say(
        this.isPreferred ? 'answers; used for measured values' : 'answers; used where the connection cannot read',
      )
      return reading
    } catch (error) {
      this.#failedAt = clock.now()
      if (!this.#stopped.signal.aborted) this.#say(errorText(error))
      return undefined
    }
  }

  #say(words: string): void {
    if (words === this.#words) return
    this.#words = words
    this.#parts.onChange()
  }
}
