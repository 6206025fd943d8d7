import { BoundedMap, type Clock, errorText, type Log, PeerFault } from '../../base/index.ts'
import type { Contact, DeviceId, Upward } from '../../domain/index.ts'
import type { Discoveries } from './discovery/discoveries.ts'
import { type EnrolOptions, enrol, giveAccess } from './login/enrol.ts'
import type { Session } from './session/session.ts'
import type { ParameterTypes } from './session/values.ts'
import type { FileUrl } from './verbs/download.ts'
import { execute } from './verbs/execute.ts'

interface TurnsOptions {
  upward: Upward
  discoveries: Discoveries
  types: ParameterTypes
  enrolment: EnrolOptions
  clock: Clock
  log: Log
  fileUrl: FileUrl
  /** Asks the CPE for another session. */
  comeAgain(session: Session): void
  onSession?(outcome: 'ended' | 'failed', rpcs: number): void
}

/** Time after which a CPE that refused its own credential is asked again, in milliseconds. */
const REFUSED_MS = 86_400_000
const MAX_REFUSED = 50_000

/** The turn of the ACS in a session: enrolment, waiting operations, discovery; then 204. */
export class AcsTurn {
  readonly #options: TurnsOptions
  readonly #toEnrol = new WeakSet<Session>()
  readonly #refusedAt = new BoundedMap<DeviceId, number>(MAX_REFUSED)
  readonly #running = new Set<Promise<void>>()
  #stopping = false

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Marks a session in which a CPE without a credential of its own gets one. */
  enrolIn(session: Session): void {
    const refusedAt = this.#refusedAt.get(session.deviceId)
    if (refusedAt === undefined || this.#options.clock.now() - refusedAt > REFUSED_MS) this.#toEnrol.add(session)
  }

  /** The CPE's empty POST waits: does what there is to do, at once where that is nothing. */
  begin(session: Session): void {
    if (!this.#isNeeded(session)) {
      session.finish()
      this.#options.onSession?.('ended', session.rpcs)
      return
    }
    const run: Promise<void> = this.#run(session).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Discoveries pause at once; resolves when every turn has ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.allSettled([...this.#running])
  }

  #isNeeded(session: Session): boolean {
    return (
      session.device.work.open ||
      this.#toEnrol.has(session) ||
      this.#options.discoveries.isDue(session.device) ||
      this.#options.upward.hasNews(session.deviceId) ||
      this.#options.upward.factsDue(session.device)
    )
  }

  async #run(session: Session): Promise<void> {
    const { log, upward } = this.#options
    const line = log.isDebug() ? log.child({ deviceId: session.deviceId, sessionId: session.cookie.slice(0, 8) }) : log
    try {
      if (this.#toEnrol.has(session)) await this.#enrol(session, line)
      await upward.contact(this.#contact(session))
      const unfinished = await this.#discover(session, line)
      while (session.state === 'acsTurn' && upward.hasNews(session.deviceId))
        await upward.contact(this.#contact(session))
      session.finish()
      this.#options.onSession?.('ended', session.rpcs)
      if (unfinished) this.#options.comeAgain(session)
    } catch (error) {
      log.info({ deviceId: session.deviceId, reason: errorText(error) }, 'CWMP session failed')
      session.drop('failed')
      this.#options.onSession?.('failed', session.rpcs)
    } finally {
      await this.#options.discoveries.saveNotes(session).catch((err: unknown) => {
        log.warn({ deviceId: session.deviceId, err }, 'what was learnt of the CPE was not kept')
      })
    }
  }

  async #enrol(session: Session, log: Log): Promise<void> {
    const { enrolment, clock } = this.#options
    const credential = await enrolment.changes.of(session.deviceId)
    if (credential?.current !== undefined) return giveAccess(session, credential, enrolment)
    const refused = await enrol(session, enrolment)
    if (refused === undefined) return
    this.#refusedAt.set(session.deviceId, clock.now())
    log.warn(
      { deviceId: session.deviceId, reason: refused },
      'CPE did not take its own credential; the enrolment secret stays valid for it',
    )
  }

  /**
   * Reads the tree while nothing else is to be done; true when the session has carried enough and there is more to
   * read.
   */
  async #discover(session: Session, log: Log): Promise<boolean> {
    const { discoveries, upward } = this.#options
    const pause = () => this.#stopping || upward.hasNews(session.deviceId)
    try {
      while (session.state === 'acsTurn' && !this.#stopping && discoveries.isDue(session.device)) {
        const outcome = await discoveries.run(session, pause)
        if (outcome === 'spent') return true
        // Another try in the same session would find the same.
        if (outcome === 'empty') return false
        if (outcome === 'paused' && !this.#stopping) await upward.contact(this.#contact(session))
      }
    } catch (error) {
      // The CPE refused it; its session goes on.
      if (!(error instanceof PeerFault)) throw error
      log.warn({ deviceId: session.deviceId, reason: errorText(error) }, 'CPE does not let its tree be read')
    }
    return false
  }

  #contact(session: Session): Contact {
    const { device } = session
    const { discoveries, upward } = this.#options
    const context = { ...this.#options, notes: discoveries.notebook.of(device) }
    return {
      deviceId: device.id,
      protocol: 'cwmp',
      root: device.root,
      lasting: false,
      signal: session.signal,
      workKnown: device.work.open,
      // The discovery reads them, too.
      factsDue: !discoveries.isDue(device) && upward.factsDue(device),
      execute: (operation, hooks) => {
        // It may bring values into the record.
        session.made = undefined
        return execute(session, operation, hooks, context)
      },
    }
  }
}
