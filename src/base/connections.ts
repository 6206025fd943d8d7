import type { Socket } from 'node:net'
import { plainAddress, shareOf } from './networks.ts'

interface ConnectionsOptions {
  /** Connections of one listener. */
  max: number
  /** Connections of one address; a loopback address may have all. */
  maxPerAddress: number
  /** Addresses that may have all, because many devices stand behind them. */
  isShared(address: string): boolean
  /** Called for each connection that is closed for want of room. */
  onClosed?(reason: 'listener' | 'address'): void
}

interface Share {
  count: number
  /** Keys of those that have shown nothing yet, the oldest first. */
  unproven: Set<string>
}

const LOOPBACK = /^(127\.|::1$)/

/**
 * The connections of one listener. When there is no more room, or no more for an address, the one is closed that has
 * been open longest without a login that fits: of that address, or of all. A connection on which a device has shown who
 * it is stays.
 */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #all = new Map<string, { socket: Socket; share: string }>()
  readonly #unproven = new Set<string>()
  readonly #shares = new Map<string, Share>()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#all.size
  }

  /** Takes a new connection in; may close it, or an older one. */
  add(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    const share = shareOf(address)
    const { max, maxPerAddress } = this.#options
    const isBounded = !LOOPBACK.test(address) && !this.#options.isShared(address)
    const ofShare = this.#shares.get(share)
    const isRoom =
      (!isBounded || (ofShare?.count ?? 0) < maxPerAddress || this.#closeFirst(ofShare?.unproven, 'address')) &&
      (this.#all.size < max || this.#closeFirst(this.#unproven, 'listener'))
    if (!isRoom) {
      socket.destroy()
      this.#options.onClosed?.('listener')
      return
    }
    this.#put(socket, share)
  }

  /** A device has shown on this connection who it is. */
  prove(socket: Socket): void {
    const key = keyOf(socket)
    this.#unproven.delete(key)
    const known = this.#all.get(key)
    if (known !== undefined) this.#shares.get(known.share)?.unproven.delete(key)
  }

  #put(socket: Socket, share: string): void {
    const key = keyOf(socket)
    this.#all.set(key, { socket, share })
    this.#unproven.add(key)
    const ofShare = this.#shares.get(share) ?? { count: 0, unproven: new Set() }
    this.#shares.set(share, ofShare)
    ofShare.count++
    ofShare.unproven.add(key)
    socket.once('close', () => this.#forget(key, socket))
  }

  /** True when there was one to close. */
  #closeFirst(keys: Set<string> | undefined, reason: 'listener' | 'address'): boolean {
    const [key] = keys ?? []
    const known = key === undefined ? undefined : this.#all.get(key)
    if (key === undefined || known === undefined) return false
    this.#forget(key, known.socket)
    known.socket.destroy()
    this.#options.onClosed?.(reason)
    return true
  }

  #forget(key: string, socket: Socket): void {
    const known = this.#all.get(key)
    if (known?.socket !== socket) return
    this.#all.delete(key)
    this.#unproven.delete(key)
    const ofShare = this.#shares.get(known.share)
    if (ofShare === undefined) return
    ofShare.unproven.delete(key)
    if (--ofShare.count === 0) this.#shares.delete(known.share)
  }
}

/** The same for a connection and for the TLS over it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`
}
