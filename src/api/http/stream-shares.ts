import { AppError } from '../../base/index.ts'

/** Event streams that may be open at once. */
interface StreamLimits {
  total: number
  perKey: number
  perAddress: number
}

const LIMITS: StreamLimits = { total: 200, perKey: 20, perAddress: 100 }

/** Counts open event streams, so that no API key and no address can use all of them. */
export class StreamShares {
  readonly #limits: StreamLimits
  readonly #open = new Map<string, number>()
  #total = 0

  constructor(limits: StreamLimits = LIMITS) {
    this.#limits = limits
  }

  /** Counts one more stream and returns a function that ends it. AppError `rateLimited` when too many are open. */
  take(key: string, address: string): () => void {
    const { total, perKey, perAddress } = this.#limits
    const shares = [`key ${key}`, `address ${address}`]
    const [ofKey = 0, ofAddress = 0] = shares.map((share) => this.#open.get(share) ?? 0)
    if (ofKey >= perKey) throw full(`this API key has ${perKey} event streams open`)
    if (ofAddress >= perAddress) throw full(`this address has ${perAddress} event streams open`)
    if (this.#total >= total) throw full(`${total} event streams are open at this server`)
    this.#count(shares, 1)
    let isOpen = true
    return () => {
      if (isOpen) this.#count(shares, -1)
      isOpen = false
    }
  }

  #count(shares: string[], by: 1 | -1): void {
    this.#total += by
    for (const share of shares) {
      const open = (this.#open.get(share) ?? 0) + by
      if (open === 0) this.#open.delete(share)
      else this.#open.set(share, open)
    }
  }
}

function full(what: string): AppError {
  return new AppError('rateLimited', `${what}, which is the limit; close one, or read GET /events`)
}
