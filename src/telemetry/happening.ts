import { createHash } from 'node:crypto'
import type { NewEvent } from '../domain/index.ts'
import { type Fields, fieldsOf, RefusedMessage, textIn } from './payload.ts'
import type { TelemetryReading } from './reading.ts'
import { readingAt } from './record-writer.ts'

/** The part of an event of the feed that says what has happened. */
export type Happening = Pick<NewEvent, 'type'> & { data: Record<string, unknown> }

/** The events that a bridge publishes, and their parameters. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  link_up: ['interface', 'status'],
  link_down: ['interface', 'status'],
  client_joined: ['mac', 'signal_dbm'],
  client_left: ['mac'],
  lease: ['mac', 'address'],
  netwatch: ['host', 'status', 'previous'],
  reboot: [],
}
const ENDED = ['done', 'error', 'denied'] as const
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const VERB = /^[a-z_]{1,32}$/
const PATH = /^Device\.(?:[\w-]+\.)+[\w-]+$/
const MAX_TEXT = 256
const MAX_VALUES = 500

/** Returns what an `event/<name>` says; RefusedMessage for an event that no bridge publishes. */
export function happeningOf(name: string, payload: Fields): Happening {
  const known = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined
  if (known === undefined) throw new RefusedMessage('notKept', 'there is no such event')
  const params = known.flatMap((field) => {
    const text = textIn(payload[field], MAX_TEXT)
    return text === undefined ? [] : [[field, text]]
  })
  return { type: 'device.notified', data: { source: 'mqtt', event: name, params: Object.fromEntries(params) } }
}

/**
 * Returns what a `response/<verb>` says; undefined for one of a command that goes on. Results stay out of the feed: they
 * may hold a confirmation token. RefusedMessage.
 */
export function endOf(verb: string, payload: Fields): Happening | undefined {
  const status = ENDED.find((one) => one === payload.status)
  if (payload.status === 'accepted') return undefined
  const id = payload.id === null ? null : textIn(payload.id, 36, UUID)
  if (status === undefined || id === undefined || !VERB.test(verb))
    throw new RefusedMessage('malformed', 'the response has no id or status')
  const { code } = payload
  const message = textIn(payload.message, MAX_TEXT)
  return {
    type: 'device.notified',
    data: {
      source: 'mqtt',
      command: verb,
      id,
      status,
      ...(Number.isInteger(code) ? { code } : {}),
      ...(message === undefined ? {} : { message }),
    },
  }
}

/** Returns the values of a response to `get`, by their paths; none for any other response. */
export function valuesOf(verb: string, payload: Fields, time: number): TelemetryReading[] {
  const values = verb === 'get' && payload.status === 'done' ? fieldsOf(fieldsOf(payload.result)?.values) : undefined
  return Object.entries(values ?? {})
    .slice(0, MAX_VALUES)
    .flatMap(([path, value]) => {
      const text = textIn(value, 1024)
      return text === undefined || !textIn(path, MAX_TEXT, PATH) ? [] : (readingAt(path, text, time) ?? [])
    })
}

/** Returns the digest by which a repeated message is known. */
export function digestOf(topic: string, payload: Buffer): string {
  return createHash('sha256').update(topic).update('\0').update(payload).digest('base64url').slice(0, 22)
}
