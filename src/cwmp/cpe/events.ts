/** An event that is due, as it is sent in the next Inform. */
export interface DueEvent {
  code: string
  commandKey: string
}

const MAX_EVENTS = 64
/** Confirmed by the response of their own request, not by InformResponse (TR-069 3.7.1.5). */
const OWN_RESPONSE = /^(7 TRANSFER COMPLETE|M Download|M Upload)$/
/** Events that end with a reboot: a changed value, a boot, or diagnostics of the run before. */
const UNTIL_REBOOT = /^(1 BOOT|4 VALUE CHANGE|8 DIAGNOSTICS COMPLETE)$/

/** The events that a CPE has to deliver, each kept as long as TR-069 3.7.1.5, Table 8 says. */
export class EventQueue {
  #due: DueEvent[] = []

  /** Adds an event. Single events are due at most once, those of a command once per command. */
  push(code: string, commandKey = ''): void {
    if (!code.startsWith('M ') && this.#due.some((event) => event.code === code)) return
    this.#due.push({ code, commandKey })
  }

  /** First contact, factory settings or another ACS: all other events are dropped. */
  bootstrap(): void {
    this.#due = [{ code: '0 BOOTSTRAP', commandKey: '' }]
  }

  boot(): void {
    this.#due = this.#due.filter(({ code }) => !UNTIL_REBOOT.test(code) && code !== '6 CONNECTION REQUEST')
    this.push('1 BOOT')
  }

  /** Returns the events of one Inform. */
  next(): DueEvent[] {
    return this.#due.slice(0, MAX_EVENTS)
  }

  get empty(): boolean {
    return this.#due.length === 0
  }

  /** The InformResponse has arrived: drops the events that it confirms. */
  delivered(events: readonly DueEvent[]): void {
    this.#due = this.#due.filter((event) => !events.includes(event) || OWN_RESPONSE.test(event.code))
  }

  /** The response to a TransferComplete has arrived; `last` means that no other transfer waits. */
  transferConfirmed(commandKey: string, last: boolean): void {
    const at = this.#due.findIndex((event) => event.code === 'M Download' && event.commandKey === commandKey)
    if (at >= 0) this.#due.splice(at, 1)
    if (last) this.#due = this.#due.filter(({ code }) => code !== '7 TRANSFER COMPLETE')
  }

  /** The session failed: a connection request is not answered again. */
  failed(): void {
    this.#due = this.#due.filter(({ code }) => code !== '6 CONNECTION REQUEST')
  }

  save(): DueEvent[] {
    return this.#due.filter(({ code }) => code !== '6 CONNECTION REQUEST')
  }

  load(events: readonly DueEvent[]): void {
    this.#due = [...events]
  }
}
