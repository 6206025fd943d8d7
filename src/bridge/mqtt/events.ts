import type { ModelChange } from '../../usp/index.ts'
import type { Look } from '../changes/places.ts'
import { looksFor } from '../changes/router-events.ts'
import type { MqttModel } from './served-router.ts'

/** The part of a message below `event/` that says what has happened. */
interface PublishedEvent {
  readonly name: string
  readonly values: Readonly<Record<string, string>>
}

const LEASES = 'Device.DHCPv4.Server.Pool.*.Client.'
const LEASE = /^Device\.DHCPv4\.Server\.Pool\.\d+\.Client\.\d+\.$/
const WATCHES = 'Device.X_MIKROTIK_RouterOS.tool-netwatch.'
const WATCH_STATUS = /^(Device\.X_MIKROTIK_RouterOS\.tool-netwatch\.\d+\.)status$/

/** Names of the events of TR-181 as topics have them, and their arguments by the names in payloads. */
const NAMES: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>> = {
  'X_MIKROTIK_ClientJoined!': ['client_joined', { mac: 'MACAddress', signal_dbm: 'SignalStrength' }],
  'X_MIKROTIK_ClientLeft!': ['client_left', { mac: 'MACAddress' }],
  'X_MIKROTIK_LinkUp!': ['link_up', { interface: 'Name' }],
  'X_MIKROTIK_LinkDown!': ['link_down', { interface: 'Name' }],
  'X_MIKROTIK_Connected!': ['link_up', { interface: 'Name' }],
  'X_MIKROTIK_Disconnected!': ['link_down', { interface: 'Name', status: 'ConnectionStatus' }],
}

/** Returns the paths by which the events are noticed. */
export function lookForEvents(): Look {
  const looks = ['Device.WiFi.', 'Device.Ethernet.', 'Device.PPP.'].flatMap(looksFor)
  return {
    rows: [...looks.flatMap(({ rows }) => rows), LEASES],
    values: [...looks.flatMap(({ values }) => values), `${WATCHES}*.status`],
  }
}

/** Resolves with the event that a change is; undefined for a change that is none. AgentError. */
export async function eventOf(
  change: ModelChange,
  model: Pick<MqttModel, 'instances' | 'get'>,
): Promise<PublishedEvent | undefined> {
  const { path } = change
  if (change.kind === 'event') {
    const [name, fields] = NAMES[change.name] ?? []
    if (name === undefined || fields === undefined) return undefined
    const { params } = change
    return { name, values: present(Object.entries(fields).map(([field, of]) => [field, params[of]])) }
  }
  if (change.kind === 'created' && LEASE.test(path)) return { name: 'lease', values: await leaseAt(path, model) }
  const watch = change.kind === 'value' ? WATCH_STATUS.exec(path)?.[1] : undefined
  if (watch === undefined || change.kind !== 'value') return undefined
  const host = (await model.get([`${watch}host`])).get(`${watch}host`)
  return {
    name: 'netwatch',
    values: present([
      ['host', host],
      ['status', change.value],
      ['previous', change.previous],
    ]),
  }
}

async function leaseAt(row: string, model: Pick<MqttModel, 'instances' | 'get'>): Promise<Record<string, string>> {
  const [address = ''] = await model.instances(`${row}IPv4Address.`)
  const values = await model.get([`${row}Chaddr`, `${address}IPAddress`])
  return present([
    ['mac', values.get(`${row}Chaddr`)],
    ['address', values.get(`${address}IPAddress`)],
  ])
}

function present(fields: readonly (readonly [string, string | undefined])[]): Record<string, string> {
  return Object.fromEntries(fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
