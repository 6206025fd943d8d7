import { parentOf, schemaPathOf } from '../../datamodel/index.ts'
import type { Look } from './places.ts'

/** Something that has happened on a router, with the object that it is about. */
interface RouterEvent {
  /** Path of the object, with its last dot. */
  readonly object: string
  readonly name: string
  readonly params: Readonly<Record<string, string>>
}

/** A difference between two looks at a router. `was` and `is` are values by path. */
export interface Difference {
  readonly created: readonly string[]
  readonly deleted: readonly string[]
  readonly changed: readonly string[]
  readonly was: ReadonlyMap<string, string>
  readonly is: ReadonlyMap<string, string>
}

/** A kind of event that TR-181 has no event for. */
interface EventKind {
  /** Schema path of the object that has the event. */
  readonly object: string
  /** Names of the events, with the names of their arguments. */
  readonly events: Readonly<Record<string, readonly string[]>>
  /** Paths by which they are noticed. */
  readonly look: Look
  find(difference: Difference): readonly RouterEvent[]
}

const CLIENTS = 'Device.WiFi.AccessPoint.*.AssociatedDevice.'

const KINDS: readonly EventKind[] = [
  {
    object: 'Device.WiFi.AccessPoint.{i}.',
    events: {
      'X_MIKROTIK_ClientJoined!': ['MACAddress', 'SignalStrength'],
      'X_MIKROTIK_ClientLeft!': ['MACAddress'],
    },
    look: { rows: [CLIENTS], values: [`${CLIENTS}*.MACAddress`, `${CLIENTS}*.SignalStrength`] },
    find: ({ created, deleted, was, is }) => [
      ...created.filter(isClient).map((row) => ({
        object: parentOf(parentOf(row)),
        name: 'X_MIKROTIK_ClientJoined!',
        params: given({ MACAddress: is.get(`${row}MACAddress`), SignalStrength: is.get(`${row}SignalStrength`) }),
      })),
      ...deleted.filter(isClient).map((row) => ({
        object: parentOf(parentOf(row)),
        name: 'X_MIKROTIK_ClientLeft!',
        params: given({ MACAddress: was.get(`${row}MACAddress`) }),
      })),
    ],
  },
  {
    object: 'Device.Ethernet.Interface.{i}.',
    events: { 'X_MIKROTIK_LinkUp!': ['Name'], 'X_MIKROTIK_LinkDown!': ['Name'] },
    look: { rows: [], values: ['Device.Ethernet.Interface.*.Status', 'Device.Ethernet.Interface.*.Name'] },
    find: ({ changed, is }) =>
      changed.flatMap((path) => {
        const object = /^(Device\.Ethernet\.Interface\.\d+\.)Status$/.exec(path)?.[1]
        if (object === undefined) return []
        const name = is.get(path) === 'Up' ? 'X_MIKROTIK_LinkUp!' : 'X_MIKROTIK_LinkDown!'
        return { object, name, params: given({ Name: is.get(`${object}Name`) }) }
      }),
  },
  {
    object: 'Device.PPP.Interface.{i}.',
    events: { 'X_MIKROTIK_Connected!': ['Name'], 'X_MIKROTIK_Disconnected!': ['Name', 'ConnectionStatus'] },
    look: { rows: [], values: ['Device.PPP.Interface.*.ConnectionStatus', 'Device.PPP.Interface.*.Name'] },
    find: ({ changed, was, is }) =>
      changed.flatMap((path) => {
        const object = /^(Device\.PPP\.Interface\.\d+\.)ConnectionStatus$/.exec(path)?.[1]
        const status = is.get(path)
        // Between the two ends there are states of no interest.
        if (object === undefined || (status !== 'Connected' && was.get(path) !== 'Connected')) return []
        const Name = is.get(`${object}Name`)
        if (status === 'Connected') return { object, name: 'X_MIKROTIK_Connected!', params: given({ Name }) }
        return { object, name: 'X_MIKROTIK_Disconnected!', params: given({ Name, ConnectionStatus: status }) }
      }),
  },
]

/** Returns the events of an object by its schema path: names with the names of their arguments. */
export function eventsAt(schema: string): ReadonlyMap<string, readonly string[]> {
  return new Map(KINDS.filter(({ object }) => object === schema).flatMap(({ events }) => Object.entries(events)))
}

/** Returns the paths to look at so that the events that a reference means are noticed. */
export function looksFor(reference: string): readonly Look[] {
  const schema = schemaPathOf(reference)
  return KINDS.filter(({ object, events }) =>
    Object.keys(events).some(
      (name) => schema === object + name || (schema.endsWith('.') && (object + name).startsWith(schema)),
    ),
  ).map(({ look }) => look)
}

/** Returns the events that a difference shows. */
export function eventsIn(difference: Difference): readonly RouterEvent[] {
  return KINDS.flatMap((kind) => kind.find(difference))
}

function isClient(row: string): boolean {
  return /^Device\.WiFi\.AccessPoint\.\d+\.AssociatedDevice\.\d+\.$/.test(row)
}

function given(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
