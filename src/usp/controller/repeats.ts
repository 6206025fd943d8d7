import { crc32 } from 'node:zlib'
import { BoundedMap, type Clock } from '../../base/index.ts'
import type { Notify } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'

/** The statement of a Notify: its subject, a checksum of its content, and the way that it came. */
interface Saying {
  subject: string
  content: number
  msgId: string
  /** Its link and subscription. */
  by: string
  /** True when the same may happen again: a row under the same number, a command with the same key. */
  canRecur: boolean
}

interface Said extends Saying {
  at: number
}

const MAX_SUBJECTS = 50_000
/** The pauses between two tries of an Agent grow to 5120 s (TR-369 7.6.2). */
const SAME_MESSAGE_MS = 2 * 3_600_000
/** Time for an Agent that repeats over its next link, with a msg_id of that link, what was not acknowledged. */
const OTHER_MESSAGE_MS = 120_000

/**
 * Recognises notifications that were stored already. Agents repeat a Notify until it is answered, with the same msg_id
 * or another one (TR-369 7.6.2), and two subscriptions may report the same. A value is recognised by its last content:
 * the same content is no change. A row or the end of a command can be the same and yet another fact: it is a repetition
 * under the same msg_id, or soon after the first one over another link or by another subscription. An event can happen
 * twice, so that it is recognised by its msg_id on the same link only. A forgotten one costs a doubled event.
 */
export class Repeats {
  readonly #clock: Clock
  readonly #last = new BoundedMap<string, Said>(MAX_SUBJECTS)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns the statement of a Notify; undefined when a repetition cannot be recognised. */
  saying(agent: AgentLink, msgId: string, notify: Notify): Saying | undefined {
    const subject = subjectOf(agent, msgId, notify)
    if (subject === undefined) return undefined
    return { ...subject, msgId, by: `${agent.id}|${notify.subscription_id}` }
  }

  /** Returns true unless a Notify repeats the last one about its subject; a new one is noted. */
  isNew(saying: Saying): boolean {
    const now = this.#clock.now()
    const last = this.#last.get(saying.subject)
    if (last !== undefined && isRepetition(saying, last, now - last.at)) return false
    this.#last.set(saying.subject, { ...saying, at: now })
    return true
  }

  /** Forgets a content that could not be stored: its repetition is new. */
  forget({ subject, content }: Saying): void {
    if (this.#last.get(subject)?.content === content) this.#last.delete(subject)
  }
}

function subjectOf(
  agent: AgentLink,
  msgId: string,
  { value_change, obj_creation, obj_deletion, oper_complete, event, send_resp }: Notify,
): Pick<Saying, 'subject' | 'content' | 'canRecur'> | undefined {
  const by = agent.endpointId
  if (value_change !== undefined) {
    const { param_path, param_value } = value_change
    return { subject: `v|${by}|${param_path}`, content: crc32(param_value), canRecur: false }
  }
  if (obj_creation !== undefined) {
    const { obj_path, unique_keys } = obj_creation
    return { subject: `o|${by}|${obj_path}`, content: contentOf(['created', unique_keys]), canRecur: true }
  }
  if (obj_deletion !== undefined)
    return { subject: `o|${by}|${obj_deletion.obj_path}`, content: contentOf(['deleted']), canRecur: true }
  if (oper_complete !== undefined && oper_complete.command_key !== '') {
    const { obj_path, command_name, command_key, req_output_args, cmd_failure } = oper_complete
    const content = contentOf([req_output_args?.output_args, cmd_failure])
    return { subject: `c|${by}|${obj_path}${command_name}|${command_key}`, content, canRecur: true }
  }
  // A CPE does not boot without ending its link: two Boot! on one link report the same boot.
  if (event?.event_name === 'Boot!') return { subject: `b|${agent.id}`, content: contentOf(event), canRecur: false }
  if (event !== undefined && send_resp)
    return { subject: `e|${agent.id}|${msgId}`, content: contentOf(event), canRecur: false }
  return undefined
}

/** Returns a checksum in which the order of names does not count: an Agent may encode a map in any order. */
function contentOf(value: unknown): number {
  return crc32(
    JSON.stringify(value, (_name, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ),
  )
}

function isRepetition(saying: Saying, last: Said, ageMs: number): boolean {
  if (saying.content !== last.content) return false
  if (!saying.canRecur) return true
  if (saying.msgId === last.msgId) return ageMs <= SAME_MESSAGE_MS
  return saying.by !== last.by && ageMs <= OTHER_MESSAGE_MS
}
