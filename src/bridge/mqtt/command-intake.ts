import { Buckets, type Clock, errorText, type Log } from '../../base/index.ts'
import type { IncomingMessage } from '../../mqtt/index.ts'
import { AgentError } from '../../usp/index.ts'
import { ConfirmationNeeded } from '../commands/confirmations.ts'
import { BadEnvelope, type Envelope, readEnvelope } from './envelope.ts'
import { SeenIds } from './seen-ids.ts'
import type { MqttModel } from './served-router.ts'
import { VerbContext, type VerbResult } from './verb.ts'
import { VERBS } from './verbs.ts'

/** The state of a command. `denied`: nothing was done. */
type Status = 'accepted' | 'done' | 'error' | 'denied'

/** A response of a router. */
interface CommandResponse {
  readonly id: string | null
  readonly status: Status
  /** USP error code (TR-369 Appendix). */
  readonly code?: number
  readonly message?: string
  readonly result?: object
}

/** Age at which a command is refused, and the time by which the clock of a sender may be ahead. */
const MAX_AGE_MS = 60_000
const MAX_AHEAD_MS = 5000
/** Messages of one router, whatever is in them: so many at once, and then so many each second. */
const FLOOD = { capacity: 60, perSecond: 2 }
/** Commands of one router that are under way. */
const MAX_RUNNING = 8
/** Buckets that are remembered; as many as a bridge has routers. */
const MAX_KEYS = 4000

/** The router of a command. */
interface IntakeTarget {
  /** Undefined while the router is not reached. */
  model: MqttModel | undefined
  /** Takes each response. */
  respond(response: CommandResponse): void
  /** A reason to refuse the command, whatever is in it. */
  refusal: string | undefined
}

interface IntakeParts {
  clock: Clock
  log: Log
}

/** The commands of all routers that are let through: each router has its own budgets, and each verb of it one more. */
export class CommandBudgets {
  readonly #flood: Buckets
  readonly #verbs: ReadonlyMap<string, Buckets>

  constructor(clock: Clock) {
    this.#flood = new Buckets({ ...FLOOD, maxKeys: MAX_KEYS }, clock)
    this.#verbs = new Map(
      [...VERBS].map(([name, { limit }]) => [
        name,
        new Buckets({ capacity: limit.burst, perSecond: 1000 / limit.everyMs, maxKeys: MAX_KEYS }, clock),
      ]),
    )
  }

  /** Takes one message of a router; false when it has sent too many. */
  message(router: string): boolean {
    return takeOne(this.#flood, router)
  }

  /** Takes one command of a verb; false when the router has had too many. */
  command(router: string, verb: string): boolean {
    const buckets = this.#verbs.get(verb)
    return buckets === undefined || takeOne(buckets, router)
  }

  /** Gives a command back that was refused. */
  giveBack(router: string, verb: string): void {
    this.#verbs.get(verb)?.give(router, 1)
  }
}

function takeOne(buckets: Buckets, key: string): boolean {
  if (buckets.left(key) < 1) return false
  buckets.take(key, 1)
  return true
}

/** Takes the commands of one router: checks each, does it, and responds. */
export class CommandIntake {
  readonly #router: string
  readonly #budgets: CommandBudgets
  readonly #parts: IntakeParts
  readonly #seen: SeenIds
  /** Commands that were sent before are refused: they may have been done by an earlier run of the bridge. */
  readonly #since: number
  readonly #running = new Set<AbortController>()

  constructor(router: string, budgets: CommandBudgets, parts: IntakeParts) {
    this.#router = router
    this.#budgets = budgets
    this.#parts = parts
    this.#seen = new SeenIds(parts.clock)
    this.#since = parts.clock.now()
  }

  /** Takes a message of a verb. There is no response for one beyond the budget of the router. Never rejects. */
  async take(
    message: Pick<IncomingMessage, 'payload' | 'isRetained'>,
    name: string,
    { model, respond, refusal }: IntakeTarget,
  ): Promise<void> {
    if (!this.#budgets.message(this.#router)) {
      this.#parts.log.warn({}, 'messages for a router were dropped: there are too many')
      return
    }
    let id: string | null = null
    const abort = new AbortController()
    let isAccepted = false
    try {
      const envelope = readEnvelope(message.payload)
      id = envelope.id
      if (message.isRetained) throw new AgentError(7002, 'a retained message is no command')
      if (refusal !== undefined) throw new AgentError(7002, refusal)
      const verb = VERBS.get(name)
      if (verb === undefined)
        throw new AgentError(7026, `there is no such verb; verbs are ${[...VERBS.keys()].join(', ')}`)
      this.#check(envelope)
      const work = verb.prepare(envelope.args)
      if (model === undefined) throw new AgentError(7003, 'the router is not reached')
      const onAccepted = () => {
        if (!isAccepted) respond({ id, status: 'accepted' })
        isAccepted = true
      }
      this.#running.add(abort)
      const context = new VerbContext(model, { ...envelope, signal: abort.signal, onAccepted })
      const { result, afterwards } = await this.#limited(
        name,
        () => work(context),
        () => isAccepted,
      )
      respond({ id, status: 'done', ...(Object.keys(result).length === 0 ? {} : { result }) })
      afterwards?.()
    } catch (error) {
      respond(refusalOf(error, error instanceof BadEnvelope ? (error.id ?? null) : id, isAccepted))
      if (!(error instanceof AgentError || error instanceof BadEnvelope))
        this.#parts.log.error({ reason: errorText(error), verb: VERBS.has(name) ? name : '' }, 'a command has failed')
    } finally {
      this.#running.delete(abort)
    }
  }

  /** Cancels what is under way. */
  stop(): void {
    for (const abort of this.#running)
      abort.abort(new AgentError(7023, 'the bridge does not serve this router any more'))
  }

  #check({ id, sentAt, expiresAt }: Envelope): void {
    const now = this.#parts.clock.now()
    if (now - sentAt > MAX_AGE_MS || (expiresAt !== undefined && expiresAt <= now))
      throw new AgentError(7002, 'the command has expired')
    if (sentAt - now > MAX_AHEAD_MS) throw new AgentError(7002, 'ts is in the future: set the clock of the sender')
    if (sentAt < this.#since)
      throw new AgentError(7002, 'the command was sent before the bridge has served this router')
    if (!this.#seen.take(id)) throw new AgentError(7002, 'a command with this id was there before')
  }

  /** Does work within the limits of the router; what was refused counts for none. */
  async #limited(name: string, work: () => Promise<VerbResult>, wasAccepted: () => boolean): Promise<VerbResult> {
    if (this.#running.size > MAX_RUNNING)
      throw new AgentError(7005, `${MAX_RUNNING} commands of this router are under way: wait for one of them`)
    if (!this.#budgets.command(this.#router, name))
      throw new AgentError(7005, `too many commands ${name} for this router: wait before the next`)
    try {
      return await work()
    } catch (error) {
      if (!wasAccepted()) this.#budgets.giveBack(this.#router, name)
      throw error
    }
  }
}

function refusalOf(error: unknown, id: string | null, isAccepted: boolean): CommandResponse {
  if (error instanceof BadEnvelope) return { id, status: 'denied', code: 7004, message: error.message }
  if (error instanceof ConfirmationNeeded)
    return {
      id,
      status: 'denied',
      code: error.code,
      message: `${error.reason}: send it again within ${error.seconds} s, with a new id and confirm as in result`,
      result: { confirm: error.token },
    }
  const code = error instanceof AgentError ? error.code : 7003
  const message = error instanceof AgentError ? error.message : 'the bridge has failed; its log says how'
  return { id, status: isAccepted && code !== 7006 ? 'error' : 'denied', code, message }
}
