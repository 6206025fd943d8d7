import type { Socket } from 'node:net'
import type { Clock } from '../../../base/index.ts'
import type { DeviceId } from '../../../domain/index.ts'
import type { Session } from './session.ts'
import type { Counted, SessionShares } from './session-shares.ts'

const COOKIE = /(?:^|[;,\s])isthmus\s*=\s*"?([\w-]{20,64})/g

/** Returns the cookies in a header that have the name of those of this server. */
function cookiesIn(header: string): string[] {
  const found: string[] = []
  // `matchAll` makes a new expression at each call.
  COOKIE.lastIndex = 0
  for (let match = COOKIE.exec(header); match !== null; match = COOKIE.exec(header)) found.push(match[1] ?? '')
  return found
}

/**
 * The sessions under way: by cookie, by device (one each, the newest), and by connection for CPE that do not return
 * cookies.
 */
export class Sessions {
  readonly #clock: Clock
  readonly #shares: SessionShares
  readonly #byCookie = new Map<string, Session>()
  readonly #byDevice = new Map<DeviceId, Session>()
  readonly #bySocket = new WeakMap<Socket, Session>()
  #sweep: NodeJS.Timeout | undefined

  constructor(clock: Clock, shares: SessionShares) {
    this.#clock = clock
    this.#shares = shares
  }

  get size(): number {
    return this.#byCookie.size
  }

  /** One timer for all: a session that is silent for longer than it may be is dropped. */
  start(): void {
    this.#sweep = setInterval(() => {
      const now = this.#clock.now()
      for (const session of this.#byCookie.values()) {
        // While it is our turn we are the silent ones.
        if (session.state !== 'acsTurn' && now - session.lastActivityAt > session.idleMs) this.#end(session, 'timeout')
      }
    }, 1000)
    this.#sweep.unref()
  }

  stop(): void {
    clearInterval(this.#sweep)
    for (const session of [...this.#byCookie.values()]) this.#end(session, 'shutdown')
  }

  add(session: Session, socket: Socket): void {
    // A new Inform means that the CPE gave the older session up.
    const older = this.#byDevice.get(session.deviceId)
    if (older !== undefined) this.#end(older, 'superseded')
    this.#byCookie.set(session.cookie, session)
    this.#shares.began(session)
    this.#byDevice.set(session.deviceId, session)
    this.#bySocket.set(socket, session)
    session.onEnded = () => this.#forget(session)
  }

  /**
   * Returns the session of a request: by its cookie, or, without any cookie of this server, by its connection. CPE send
   * old cookies beside new ones, `$Version` attributes, and commas where semicolons belong. A cookie of a session that
   * is over never selects by connection: a proxy may share the connection among CPE.
   */
  find(cookieHeader: string | undefined, socket: Socket): Session | undefined {
    if (cookieHeader !== undefined) {
      const cookies = cookiesIn(cookieHeader)
      const named = cookies.find((cookie) => this.#byCookie.has(cookie))
      if (named !== undefined) return this.#byCookie.get(named)
      if (cookies.length > 0) return undefined
    }
    const session = this.#bySocket.get(socket)
    return session !== undefined && session.state !== 'closed' ? session : undefined
  }

  /** Returns true when this connection is the one on which the CPE of the session last proved its identity. */
  isOn(session: Session, socket: Socket): boolean {
    return this.#bySocket.get(socket) === session
  }

  /** The session goes on over another connection. */
  moved(session: Session, socket: Socket): void {
    this.#bySocket.set(socket, session)
  }

  /**
   * True when a session of this device may begin: it has one already, which it gives up, or there is room in its
   * shares.
   */
  hasRoomFor(id: DeviceId, session: Counted): boolean {
    return this.#byDevice.has(id) || this.#shares.hasRoomFor(session)
  }

  /** Returns true when the CPE has a session and can be sent RPCs. */
  isHere(id: DeviceId): boolean {
    return this.#byDevice.get(id)?.leavesAtOnce === false
  }

  ofDevice(id: DeviceId): Session | undefined {
    return this.#byDevice.get(id)
  }

  #end(session: Session, reason: string): void {
    session.drop(reason)
    this.#forget(session)
  }

  #forget(session: Session): void {
    if (this.#byCookie.delete(session.cookie)) this.#shares.ended(session)
    if (this.#byDevice.get(session.deviceId) === session) this.#byDevice.delete(session.deviceId)
  }
}
