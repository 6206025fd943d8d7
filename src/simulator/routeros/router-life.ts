import type { Clock, Random } from '../../base/index.ts'
import type { EmulatedRouter } from './router.ts'

const MINUTE_MS = 60_000
/** Minutes between two comings or goings of a client, and between two losses of the line. */
const CLIENT_MIN = [10, 30] as const
const LINE_MIN = [120, 360] as const
/** Milliseconds for which the line is down. */
const DOWN_MS = 20_000

/** The life around an emulated router: clients of its radios come and go, and its line is lost and comes again. */
export class RouterLife {
  readonly #router: EmulatedRouter
  readonly #clock: Clock
  readonly #random: Random
  /** Clients as they were at first. */
  readonly #clients: readonly Readonly<Record<string, string>>[]
  readonly #cancels = new Set<() => void>()

  /** `clock` is that of the waits. */
  constructor(router: EmulatedRouter, clock: Clock, random: Random) {
    this.#router = router
    this.#clock = clock
    this.#random = random
    this.#clients = router.store.table(router.clientTable).map(({ values }) => ({ ...values }))
  }

  start(): void {
    if (this.#clients.length > 0) this.#again(CLIENT_MIN, () => this.#comeOrGo())
    this.#again(LINE_MIN, () => this.#lose())
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }

  #again([least, most]: readonly [number, number], work: () => void): void {
    this.#after((least + this.#random.fraction() * (most - least)) * MINUTE_MS, () => {
      work()
      this.#again([least, most], work)
    })
  }

  #after(ms: number, work: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel)
      work()
    })
    this.#cancels.add(cancel)
  }

  #comeOrGo(): void {
    const client = this.#clients[Math.floor(this.#random.fraction() * this.#clients.length)]
    const { store, clientTable, state } = this.#router
    if (client === undefined) return
    const mac = client['mac-address'] ?? ''
    if (store.find(clientTable, 'mac-address', mac) !== undefined) this.#router.part(mac)
    else store.add(clientTable, { ...client, '~since': String(state.now) })
  }

  /** A session over PPP where there is one, else the first port. */
  #lose(): void {
    const interfaces = this.#router.store.table('interface')
    const line = interfaces.find(({ values }) => values.type === 'pppoe-out') ?? interfaces[0]
    const name = line?.values.name
    if (name === undefined) return
    this.#router.setLink(name, false)
    this.#after(DOWN_MS, () => this.#router.store.find('interface', 'name', name) && this.#router.setLink(name, true))
  }
}
