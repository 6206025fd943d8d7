import { crc32 } from 'node:zlib'
import type { Notify } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'

/** What a Notify is about and what it says about that; a second one that says the same about the same is a repetition. */
interface Saying {
  subject: string
  content: number
}

const MAX_SUBJECTS = 50_000

/**
 * Which notifications were taken in already. Agents send a Notify again until they hear of it, with the same msg_id or another (TR-369 11). Of
 * values and rows it is known by what was said last: the same once more is no change. An event can happen again, so that it is known by its
 * msg_id on the same link alone. Forgetting costs a doubled event, never a lost one.
 */
export class Repeats {
  readonly #last = new Map<string, number>()

  /** undefined: nothing to be known by. */
  saying(agent: AgentLink, msgId: string, notify: Notify): Saying | undefined {
    const { value_change, obj_creation, obj_deletion, oper_complete, event } = notify
    const by = agent.endpointId
    if (value_change !== undefined)
      return { subject: `v|${by}|${value_change.param_path}`, content: crc32(value_change.param_value) }
    if (obj_creation !== undefined) return { subject: `o|${by}|${obj_creation.obj_path}`, content: 1 }
    if (obj_deletion !== undefined) return { subject: `o|${by}|${obj_deletion.obj_path}`, content: 0 }
    if (oper_complete !== undefined && oper_complete.command_key !== '') {
      const { obj_path, command_name, command_key } = oper_complete
      return { subject: `c|${by}|${obj_path}${command_name}|${command_key}`, content: 0 }
    }
    // No box boots and keeps its link: two subscriptions or two msg_ids may tell of the one boot before it.
    if (event?.event_name === 'Boot!') return { subject: `b|${agent.id}`, content: crc32(JSON.stringify(event)) }
    if (event !== undefined && notify.send_resp)
      return { subject: `e|${agent.id}|${msgId}`, content: crc32(JSON.stringify(event)) }
    return undefined
  }

  /** Returns true for what was not said last about its subject, and notes it. */
  isNew({ subject, content }: Saying): boolean {
    if (this.#last.get(subject) === content) return false
    this.#note(subject, content)
    return true
  }

  /** It could not be stored: when it is said again, it is new. */
  forget({ subject, content }: Saying): void {
    if (this.#last.get(subject) === content) this.#last.delete(subject)
  }

  #note(subject: string, content: number): void {
    this.#last.delete(subject)
    this.#last.set(subject, content)
    if (this.#last.size <= MAX_SUBJECTS) return
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest)
      return
    }
  }
}
