import { AgentError } from '../../usp/index.ts'
import { placesOf } from '../changes/places.ts'
import { address, choice, either, integer, ipv4, list, text, truth } from './fields.ts'
import { readRows } from './table-reader.ts'
import { type Verb, type VerbContext, type VerbLimit, type VerbResult, verb } from './verb.ts'

const SECOND = 1000
const MINUTE = 60_000
const OFTEN: VerbLimit = { burst: 30, everyMs: SECOND }
const CHANGES: VerbLimit = { burst: 10, everyMs: 6 * SECOND }
const TESTS: VerbLimit = { burst: 5, everyMs: 10 * SECOND }
const RARE: VerbLimit = { burst: 1, everyMs: 10 * MINUTE }

const INFO = 'Device.DeviceInfo.'
const MAPPINGS = 'Device.NAT.PortMapping.'
/** Parameters by which no two port mappings are the same (TR-181). */
const MAPPING_KEY = ['RemoteHost', 'ExternalPort', 'Protocol'] as const
const SERVERS = 'Device.DNS.Client.Server.'
/** Tables with interfaces that can be switched; a name in several of them means the first. */
const SWITCHED = [
  'Device.Ethernet.Interface.*.',
  'Device.WiFi.SSID.*.',
  'Device.PPP.Interface.*.',
  'Device.Ethernet.VLANTermination.*.',
  'Device.Cellular.Interface.*.',
  'Device.IP.Interface.*.',
]
/** Values of one response. */
const MAX_VALUES = 500

const name = text(1, 64)
const host = text(1, 253, /^[A-Za-z0-9:][A-Za-z0-9.:-]*$/)
const port = integer(1, 65_535)
const url = text(1, 255, /^https:\/\//)
const protocol = choice('tcp', 'udp')
const NONE = {}

/** The verbs of `command/`, by name. */
export const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  [
    'reboot',
    verb({ burst: 1, everyMs: 5 * MINUTE }, { required: NONE, optional: NONE }, (_, context) =>
      context.operate('Device.', 'Reboot()', {}),
    ),
  ],
  [
    'factory_reset',
    verb(RARE, { required: NONE, optional: NONE }, (_, context) => context.operate('Device.', 'FactoryReset()', {})),
  ],
  [
    'ping',
    verb(
      TESTS,
      {
        required: { host },
        optional: { count: integer(1, 20), size: integer(0, 1472), timeout_ms: integer(1, 30_000) },
      },
      ({ host, count, size, timeout_ms }, context) =>
        context.operate('Device.IP.Diagnostics.', 'IPPing()', {
          Host: host,
          ...given({ NumberOfRepetitions: count, DataBlockSize: size, Timeout: timeout_ms }),
        }),
    ),
  ],
  [
    'traceroute',
    verb(TESTS, { required: { host }, optional: { max_hops: integer(1, 64) } }, ({ host, max_hops }, context) =>
      context.operate('Device.IP.Diagnostics.', 'TraceRoute()', { Host: host, ...given({ MaxHopCount: max_hops }) }),
    ),
  ],
  [
    'wifi_set',
    verb(
      CHANGES,
      {
        required: { interface: name },
        optional: {
          ssid: text(1, 32),
          key: text(8, 63, /^[\x20-\x7e]*$/),
          enabled: truth,
          channel: either(integer(1, 233), choice('auto')),
        },
      },
      setWifi,
    ),
  ],
  [
    'port_mapping_add',
    verb(
      CHANGES,
      {
        required: { protocol, external_port: port, internal_client: ipv4 },
        optional: {
          external_port_end: port,
          internal_port: port,
          remote_host: ipv4,
          description: text(0, 64),
          interface: name,
          enabled: truth,
        },
      },
      addMapping,
    ),
  ],
  [
    'port_mapping_remove',
    verb(
      CHANGES,
      {
        required: NONE,
        optional: { path: text(1, 64, /^Device\.NAT\.PortMapping\.\d+\.?$/), protocol, external_port: port },
      },
      removeMapping,
    ),
  ],
  ['interface_enable', switching('true')],
  ['interface_disable', switching('false')],
  ['dns_set', verb(CHANGES, { required: { servers: list(address, 1, 4) }, optional: NONE }, setDns)],
  [
    'identity_set',
    verb(CHANGES, { required: { name }, optional: NONE }, ({ name }, context) =>
      context.set({ [`${INFO}HostName`]: name }),
    ),
  ],
  [
    'check_update',
    verb({ burst: 2, everyMs: 30 * SECOND }, { required: NONE, optional: NONE }, (_, context) =>
      context.operate(INFO, 'X_MIKROTIK_CheckForUpdates()', {}),
    ),
  ],
  [
    'upgrade',
    verb(
      RARE,
      { required: NONE, optional: { channel: choice('stable', 'long-term', 'testing', 'development'), url } },
      async ({ channel, url }, context) => {
        if ((channel === undefined) === (url === undefined)) throw wrong('need either channel or url')
        const source = url ?? `routeros-channel:${channel}`
        return context.operate(`${INFO}FirmwareImage.2.`, 'Download()', { URL: source, AutoActivate: 'true' })
      },
    ),
  ],
  [
    'backup',
    verb(
      { burst: 1, everyMs: MINUTE },
      { required: { password: text(8, 64) }, optional: { url, place: integer(1, 9) } },
      async ({ url, place, password }, context) => {
        if ((url === undefined) === (place === undefined)) throw wrong('need either place or url')
        const to = url ?? `routeros-file:${place}`
        return context.operate(`${INFO}VendorConfigFile.1.`, 'Backup()', { URL: to, Username: '', Password: password })
      },
    ),
  ],
  [
    'get',
    verb(
      OFTEN,
      { required: { path: text(7, 256, /^Device\.(?:(?:[A-Za-z0-9_-]+|\*)\.)*[A-Za-z0-9_-]*$/) }, optional: NONE },
      getValues,
    ),
  ],
])

async function setWifi(
  args: { interface: string; ssid?: string; key?: string; enabled?: boolean; channel?: number | 'auto' },
  context: VerbContext,
): Promise<VerbResult> {
  const { ssid, key, enabled, channel } = args
  if ([ssid, key, enabled, channel].every((one) => one === undefined))
    throw wrong('need one of ssid, key, enabled and channel')
  const network = await namedRow(['Device.WiFi.SSID.*.'], args.interface, ['LowerLayers'], context)
  const values: Record<string, string> = {}
  if (ssid !== undefined) values[`${network.path}SSID`] = ssid
  if (enabled !== undefined) values[`${network.path}Enable`] = String(enabled)
  if (key !== undefined) {
    const points = await readRows(context.model, 'Device.WiFi.AccessPoint.*.', ['SSIDReference'])
    const own = points.find(({ values }) => `${values.SSIDReference}.` === network.path)
    if (own === undefined) throw new AgentError(7016, 'this interface is no access point')
    values[`${own.path}Security.KeyPassphrase`] = key
  }
  if (channel !== undefined) {
    const radio = network.values.LowerLayers ?? ''
    if (radio === '') throw new AgentError(7016, 'this interface has no radio')
    if (channel === 'auto') values[`${radio}.AutoChannelEnable`] = 'true'
    else values[`${radio}.Channel`] = String(channel)
  }
  return context.set(values)
}

async function addMapping(
  args: {
    protocol: 'tcp' | 'udp'
    external_port: number
    internal_client: string
    external_port_end?: number
    internal_port?: number
    remote_host?: string
    description?: string
    interface?: string
    enabled?: boolean
  },
  context: VerbContext,
): Promise<VerbResult> {
  if (args.external_port_end !== undefined && args.external_port_end < args.external_port)
    throw wrong('have an external_port_end below external_port')
  const on =
    args.interface === undefined ? undefined : await namedRow(['Device.IP.Interface.*.'], args.interface, [], context)
  const values = {
    RemoteHost: args.remote_host ?? '',
    Enable: String(args.enabled ?? true),
    Protocol: args.protocol.toUpperCase(),
    ExternalPort: String(args.external_port),
    InternalPort: String(args.internal_port ?? args.external_port),
    InternalClient: args.internal_client,
    AllInterfaces: String(on === undefined),
    ...(on === undefined ? {} : { Interface: on.path.slice(0, -1) }),
    ...given({
      ExternalPortEndRange: args.external_port_end,
      Description: args.description,
    }),
  }
  const rows = await readRows(context.model, `${MAPPINGS}*.`, MAPPING_KEY)
  const same = rows.find((row) => MAPPING_KEY.every((name) => row.values[name] === values[name]))
  if (same !== undefined) throw new AgentError(7025, `${same.path} has the same ${MAPPING_KEY.join(', ')}`)
  const [path] = await context.add([{ table: MAPPINGS, values }])
  return { result: { path } }
}

async function removeMapping(
  args: { path?: string; protocol?: 'tcp' | 'udp'; external_port?: number },
  context: VerbContext,
): Promise<VerbResult> {
  const { path, protocol, external_port } = args
  const isByPort = protocol !== undefined && external_port !== undefined
  if ((path === undefined) !== isByPort || (path !== undefined && (protocol ?? external_port) !== undefined))
    throw wrong('need either path, or protocol and external_port')
  const rows = await readRows(context.model, `${MAPPINGS}*.`, ['Protocol', 'ExternalPort', 'Origin'])
  const found = rows.filter((row) =>
    path === undefined
      ? row.values.Protocol === protocol?.toUpperCase() && row.values.ExternalPort === String(external_port)
      : row.path === (path.endsWith('.') ? path : `${path}.`),
  )
  // Of rules for one port those that a Controller has made are meant.
  const [row] = [...found].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)))
  if (row === undefined) throw new AgentError(7016, 'there is no such port mapping')
  await context.delete([row.path])
  return { result: { path: row.path } }
}

const isOwn = ({ values }: { values: Readonly<Record<string, string | undefined>> }) => values.Origin === 'Controller'

function switching(enable: 'true' | 'false'): Verb {
  return verb(CHANGES, { required: { interface: name }, optional: NONE }, async (args, context) => {
    const { path } = await namedRow(SWITCHED, args.interface, [], context)
    return context.set({ [`${path}Enable`]: enable })
  })
}

/** New servers come before old ones go: the router is never without one. */
async function setDns({ servers }: { servers: readonly string[] }, context: VerbContext): Promise<VerbResult> {
  const rows = await readRows(context.model, `${SERVERS}*.`, ['DNSServer', 'Type'])
  const set = rows.filter(({ values }) => values.Type === 'Static')
  const wanted = new Set(servers)
  const added = [...wanted].filter((server) => !set.some(({ values }) => values.DNSServer === server))
  const removed = set.filter(({ values }) => !wanted.has(values.DNSServer ?? '')).map(({ path }) => path)
  await context.add(added.map((server) => ({ table: SERVERS, values: { DNSServer: server } })))
  await context.delete(removed)
  return { result: { added: added.length, removed: removed.length } }
}

async function getValues({ path }: { path: string }, { model }: VerbContext): Promise<VerbResult> {
  const { parameters } = await placesOf(model, { rows: [], values: [path] })
  if (parameters.size === 0) throw new AgentError(7026, 'the router has nothing at this path')
  if (parameters.size > MAX_VALUES)
    throw new AgentError(7005, `the path means more than ${MAX_VALUES} values: ask for a part of them`)
  return { result: { values: Object.fromEntries(await model.get([...parameters])) } }
}

/** Resolves with the row whose `Name` is this; AgentError 7016. The name is compared, and never sent. */
async function namedRow(patterns: readonly string[], wanted: string, names: readonly string[], { model }: VerbContext) {
  const tables = await Promise.all(patterns.map((pattern) => readRows(model, pattern, ['Name', ...names])))
  const found = tables.flat().find(({ values }) => values.Name === wanted)
  if (found === undefined) throw new AgentError(7016, 'the router has no such interface')
  return found
}

function given(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )
}

function wrong(text: string): AgentError {
  return new AgentError(7027, `args ${text}`)
}
