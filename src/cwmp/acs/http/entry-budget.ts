import { Buckets, type Clock, shareOf } from '../../../base/index.ts'

const MIB = 1_048_576
/** Bytes of requests that led to no session: the burst of an address, and its refill per second. */
const OF_ADDRESS = { capacity: 16 * MIB, perSecond: MIB / 2, maxKeys: 100_000 }
/** Bytes of such requests under way over all addresses. */
const MAX_UNDER_WAY = 64 * MIB
/** The least that a request costs: it is compared with a credential, however short it is. */
const LEAST = 2048

/** A request under way that has not shown yet whose it is. */
interface Entry {
  /** It is over: let in costs nothing, anything else what it made to read. */
  leave(isLetIn: boolean, bytes: number): void
}

/**
 * Bounds the cost of requests whose sender is not known yet: bytes to read and to parse, per address and in all.
 * Requests that end in a session cost nothing, so that any number of good CPE behind one address is served.
 */
export class EntryBudget {
  readonly #ofAddress: Buckets
  #underWay = 0

  constructor(clock: Clock) {
    this.#ofAddress = new Buckets(OF_ADDRESS, clock)
  }

  /** Bytes of requests under way. */
  get underWay(): number {
    return this.#underWay
  }

  /** Begins a request of at most `maxBytes`; undefined when there is no room for it. */
  enter(address: string, maxBytes: number): Entry | undefined {
    const share = shareOf(address)
    const reserved = Math.max(maxBytes, LEAST)
    if (this.#ofAddress.left(share) < reserved || this.#underWay + reserved > MAX_UNDER_WAY) return undefined
    this.#ofAddress.take(share, reserved)
    this.#underWay += reserved
    return {
      leave: (isLetIn, bytes) => {
        this.#underWay -= reserved
        this.#ofAddress.give(share, reserved)
        if (!isLetIn) this.#ofAddress.take(share, Math.max(bytes, LEAST))
      },
    }
  }
}
