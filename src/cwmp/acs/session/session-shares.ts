import { shareOf } from '../../../base/index.ts'

interface SessionSharesOptions {
  maxSessions: number
  /** Sessions of one address; a loopback address may have all. */
  maxPerAddress: number
}

/**
 * The counted facts of a session. A stranger has no credential of its own yet: anybody with the shared secret can
 * invent any number of them.
 */
export interface Counted {
  readonly remoteAddress: string
  readonly isStranger: boolean
}

const LOOPBACK = /^(127\.|::1$)/
/** Parts of the sessions that strangers may have: all of them together, and those of one address. */
const OF_STRANGERS = 0.5
const OF_STRANGERS_AT_ADDRESS = 0.1

/** Counts sessions by address and by whether they are of strangers, so that none takes the room of all. */
export class SessionShares {
  readonly #options: SessionSharesOptions
  readonly #byShare = new Map<string, { all: number; strangers: number }>()
  #strangers = 0

  constructor(options: SessionSharesOptions) {
    this.#options = options
  }

  /** True when there is room for one more such session. */
  hasRoomFor({ remoteAddress, isStranger }: Counted): boolean {
    const { maxSessions, maxPerAddress } = this.#options
    const share = this.#byShare.get(shareOf(remoteAddress))
    const isBounded = !LOOPBACK.test(remoteAddress)
    if (isBounded && (share?.all ?? 0) >= maxPerAddress) return false
    if (!isStranger) return true
    if (this.#strangers >= Math.ceil(maxSessions * OF_STRANGERS)) return false
    return !isBounded || (share?.strangers ?? 0) < Math.ceil(maxSessions * OF_STRANGERS_AT_ADDRESS)
  }

  began(session: Counted): void {
    this.#count(session, 1)
  }

  ended(session: Counted): void {
    this.#count(session, -1)
  }

  #count({ remoteAddress, isStranger }: Counted, by: 1 | -1): void {
    const key = shareOf(remoteAddress)
    const share = this.#byShare.get(key) ?? { all: 0, strangers: 0 }
    this.#byShare.set(key, share)
    share.all += by
    if (isStranger) {
      share.strangers += by
      this.#strangers += by
    }
    if (share.all === 0) this.#byShare.delete(key)
  }
}
