import { crc32 } from 'node:zlib'
import type { Notify } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'

/** The subject of a Notify and a checksum of its content; a second Notify with the same of both is a repetition. */
interface Saying {
  subject: string
  content: number
}

const MAX_SUBJECTS = 50_000

/**
 * Recognises notifications that were stored already. Agents repeat a Notify until it is answered, with the same msg_id
 * or another one (TR-369 7.6.2). A value or row is recognised by its last content: the same content is no change. An
 * event can happen twice, so that it is recognised by its msg_id on the same link only. A forgotten one costs a doubled
 * event.
 */
export class Repeats {
  readonly #last = new Map<string, number>()

  /** Returns the subject and content of a Notify; undefined when a repetition cannot be recognised. */
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
    // A CPE does not boot without ending its link: two Boot! on one link report the same boot.
    if (event?.event_name === 'Boot!') return { subject: `b|${agent.id}`, content: crc32(JSON.stringify(event)) }
    if (event !== undefined && notify.send_resp)
      return { subject: `e|${agent.id}|${msgId}`, content: crc32(JSON.stringify(event)) }
    return undefined
  }

  /** Returns true when the last content of the subject was another one, and notes this one. */
  isNew({ subject, content }: Saying): boolean {
    if (this.#last.get(subject) === content) return false
    this.#note(subject, content)
    return true
  }

  /** Forgets a content that could not be stored: its repetition is new. */
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
