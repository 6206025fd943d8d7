import type { Notify } from '../wire/index.ts'

/** Something that a subscription may be to. */
export interface Occurrence {
  /** NotifType. */
  type: string
  /** The path that ReferenceList has to mean. */
  about: string
  notification: Omit<Notify, 'subscription_id' | 'send_resp'>
  /** The only Controller row that hears of it, when it may read this parameter, too. */
  only?: { controller: string; parameter: string }
}

/** Returns the occurrence of an event of the model. */
export function eventOf(object: string, name: string, params: Readonly<Record<string, string>> = {}): Occurrence {
  return {
    type: 'Event',
    about: object + name,
    notification: { event: { obj_path: object, event_name: name, params: { ...params } } },
  }
}
