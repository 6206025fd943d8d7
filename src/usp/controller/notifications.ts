import { type Clock, createKeyedQueue, isConflict, type Log } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import type { Device, DeviceStore, Upward } from '../../domain/index.ts'
import { type Notify, responseMsg } from '../wire/index.ts'
import { IDENTITY_PATHS } from './agent-facts.ts'
import type { AgentLink } from './agent-link.ts'
import type { Arrivals } from './arrivals.ts'
import type { LinkRecords } from './link-records.ts'
import { type NotifyEffect, notifyEffect } from './notify.ts'
import { Repeats } from './repeats.ts'

interface NotificationDeps {
  devices: DeviceStore
  upward: Upward
  arrivals: Pick<Arrivals, 'arrive' | 'recheck'>
  records: Pick<LinkRecords, 'touchedAt' | 'touched'>
  model: Model
  clock: Clock
  log: Log
  /** Counts for metrics. */
  onNotify?(kind: string): void
  /** The CPE of this Agent has rebooted. */
  onBoot(agent: AgentLink): void
  /** The Agent has sent Periodic!. */
  onPeriodic(agent: AgentLink): void
  /** The Agent has a new row at this path. */
  onRow(agent: AgentLink, path: string): void
}

/** Notifications that are stored at once, of one Agent and of all, and those of one Agent that wait. */
const MAX_PER_AGENT = 256
const MAX_TOGETHER = 20_000
const MAX_WAITING = 2048
/** The stored presence of an Agent that notifies is at most so old. */
const TOUCH_MS = 10_000
const KINDS = ['value_change', 'event', 'obj_creation', 'obj_deletion', 'oper_complete'] as const

interface Queue {
  working: number
  readonly waiting: (() => void)[]
  /** msg_ids of notifications that are being stored or that wait. */
  readonly msgIds: Set<string>
}

/**
 * Stores notifications, and acknowledges each one after its commit (TR-369 7.6.2): an Agent without an answer repeats
 * it. Notifications that arrive faster than they are stored wait in order, and TCP holds their Agent back.
 */
export class Notifications {
  readonly #deps: NotificationDeps
  readonly #repeats: Repeats
  /** Ends of commands, in order for each key: the first one ends the operation, and a later one must not overtake it. */
  readonly #ends = createKeyedQueue()
  readonly #queues = new Map<AgentLink, Queue>()
  /** Agents whose notifications all wait, because those of others use all places. */
  readonly #starved = new Set<AgentLink>()
  #working = 0

  constructor(deps: NotificationDeps) {
    this.#deps = deps
    this.#repeats = new Repeats(deps.clock)
  }

  /** Returns the reason for which a Notify is ignored; undefined when `take` may be called. */
  refusal(agent: AgentLink, msgId: string): string | undefined {
    // A request that is still being handled is not begun again (R-MSG.4).
    if (this.#queues.get(agent)?.msgIds.has(msgId) === true) return 'Notify that is being handled'
    // The link is read only while an answer is awaited. An Agent without an answer repeats its Notify with growing
    // pauses.
    return (this.#queues.get(agent)?.waiting.length ?? 0) >= MAX_WAITING ? 'too many notifications wait' : undefined
  }

  /** Stores a Notify and answers it. Rejects, without an answer, when it could not be stored. */
  async take(agent: AgentLink, msgId: string, notify: Notify): Promise<void> {
    const queue = this.#queues.get(agent) ?? { working: 0, waiting: [], msgIds: new Set() }
    this.#queues.set(agent, queue)
    queue.msgIds.add(msgId)
    await this.#begin(agent, queue)
    try {
      if (!(await this.#keep(agent, msgId, notify))) return
    } finally {
      queue.msgIds.delete(msgId)
      this.#end(agent, queue)
    }
    if (notify.send_resp && !agent.closed)
      agent.send(responseMsg(msgId, 'notify_resp', { subscription_id: notify.subscription_id }))
  }

  /** Resolves, in order, when one more notification of this Agent may be stored. */
  #begin(agent: AgentLink, queue: Queue): Promise<void> | undefined {
    if (queue.waiting.length === 0 && this.#hasRoom(queue)) {
      this.#count(queue, 1)
      return undefined
    }
    const { waiting } = queue
    agent.holdBack(true)
    if (queue.working === 0) this.#starved.add(agent)
    return new Promise((resolve) => waiting.push(resolve))
  }

  #hasRoom(queue: Queue): boolean {
    return queue.working < MAX_PER_AGENT && this.#working < MAX_TOGETHER
  }

  #count(queue: Queue, by: 1 | -1): void {
    queue.working += by
    this.#working += by
  }

  #end(agent: AgentLink, queue: Queue): void {
    this.#count(queue, -1)
    this.#goOn(agent, queue)
    for (const other of this.#starved) {
      if (this.#working >= MAX_TOGETHER) break
      const waits = this.#queues.get(other)
      if (waits !== undefined) this.#goOn(other, waits)
    }
  }

  /** Begins notifications that wait, as far as there are places. */
  #goOn(agent: AgentLink, queue: Queue): void {
    this.#starved.delete(agent)
    while (this.#hasRoom(queue)) {
      const begin = queue.waiting.shift()
      if (begin === undefined) break
      this.#count(queue, 1)
      begin()
    }
    if (queue.waiting.length === 0) agent.holdBack(false)
    else if (queue.working === 0) this.#starved.add(agent)
    if (queue.working === 0 && queue.waiting.length === 0) this.#queues.delete(agent)
  }

  /** Returns false when the Agent is not admitted. */
  async #keep(agent: AgentLink, msgId: string, notify: Notify): Promise<boolean> {
    const { arrivals, onNotify } = this.#deps
    if (notify.on_board_req !== undefined) {
      const { oui, product_class, serial_number } = notify.on_board_req
      await arrivals.arrive(agent, { oui, productClass: product_class, serial: serial_number })
      if (agent.device === undefined || agent.isRefused) return false
      onNotify?.('onBoardRequest')
      return true
    }
    if (agent.device === undefined) await arrivals.arrive(agent, undefined)
    const { device } = agent
    if (device === undefined) return false
    // The identity is compared again when it changes on an open link.
    const changed = IDENTITY_PATHS.includes(notify.value_change?.param_path ?? '')
    if (changed && (await arrivals.recheck(agent)) === undefined) return false
    const key = commandKeyOf(notify)
    const store = () => this.#store(agent, device, msgId, notify)
    await (key === '' ? store() : this.#ends.run(`${device.id}|${key}`, store))
    onNotify?.(KINDS.find((name) => notify[name] !== undefined) ?? 'unknown')
    return true
  }

  async #store(agent: AgentLink, device: Device, msgId: string, notify: Notify): Promise<void> {
    const { clock, upward, log, model, onBoot, onPeriodic, onRow } = this.#deps
    const effect = notifyEffect(agent, device.id, notify, model, clock.now())
    this.#touch(agent, effect)
    if (effect.ignored !== undefined) log.info({ deviceId: device.id, reason: effect.ignored }, 'notification ignored')
    const saying = this.#repeats.saying(agent, msgId, notify)
    // Two subscriptions may report the same at the same time.
    if (saying !== undefined && !this.#repeats.isNew(saying)) onlyOnce(effect, notify)
    try {
      await this.#commit(agent, effect)
    } catch (error) {
      if (saying !== undefined) this.#repeats.forget(saying)
      agent.forgetFirmware()
      throw error
    }
    if (effect.change.set !== undefined) agent.update(effect.change.set, clock.now())
    if (effect.completion !== undefined)
      await upward.completed({
        ...effect.completion,
        ...(device.softwareVersion === undefined || effect.rebooted ? {} : { softwareVersion: device.softwareVersion }),
      })
    if (effect.rebooted) onBoot(agent)
    if (effect.periodic === true) onPeriodic(agent)
    // A repetition may come because the link of the first one ended, before the row could be read.
    if (effect.created !== undefined) onRow(agent, effect.created)
  }

  /**
   * Adds the presence of the Agent to a change; one that is written anyway adds it only where the stored presence is
   * old.
   */
  #touch(agent: AgentLink, { change }: NotifyEffect): void {
    const { clock, records } = this.#deps
    const now = clock.now()
    const isWritten = change.events !== undefined || change.parameters !== undefined
    if (isWritten && now - records.touchedAt(agent) <= TOUCH_MS) return
    records.touched(agent, now)
    change.set = { ...change.set, 'usp.lastSeenAt': now, 'usp.lastAnswerAt': now }
  }

  async #commit(agent: AgentLink, { change }: NotifyEffect): Promise<void> {
    // A repetition may have nothing to write.
    if (Object.keys(change).length === 1) return
    try {
      await this.#deps.devices.commit(change)
    } catch (error) {
      // This change has no guard, so that a conflict means a deleted record: the Agent has to join a new one.
      if (isConflict(error)) agent.link.close('tryAgain', 'the record of this device is gone')
      throw error
    }
  }
}

/** Returns the key of the command whose end a Notify reports; empty for any other Notify. */
function commandKeyOf({ oper_complete, event }: Notify): string {
  return oper_complete?.command_key ?? event?.params.CommandKey ?? ''
}

/**
 * Removes from the effect of a repetition what must not happen twice: events, and the effects of a boot. Values are
 * stored again.
 */
function onlyOnce(effect: NotifyEffect, notify: Notify): void {
  delete effect.change.events
  if (notify.event === undefined) return
  // A repeated Boot! is no second boot.
  delete effect.completion
  effect.rebooted = false
  delete effect.change.set
}
