import type { AgentQuirks } from './agent-quirks.ts'
import {
  appliesAtBoot,
  authAfter401,
  booleanWords,
  breaksAbove,
  type CpeQuirk,
  dropsSessions,
  emptyTypes,
  ghosts,
  keepsValues,
  keyOnEventAlone,
  newConnections,
  noCookies,
  noRebootEvent,
  oneAtATime,
  onlyStringTypes,
  readOnlyRows,
  readsAs,
  refusesBatchesAbove,
  refusesEmptyPaths,
  refusesPartialPaths,
  refusesWrites,
  restartsOn,
  routerosSoap,
  silentOverWholeTree,
  slow,
  stringTypes,
} from './cpe-quirks/index.ts'

/** One fault of a device: a sentence for people, and the quirks of either side. */
interface FaultRow {
  sentence: string
  cpe?: readonly CpeQuirk[]
  agent?: AgentQuirks | ((serial: string) => AgentQuirks)
}

const SECRETS = /\.(\w*Password|KeyPassphrase|SAEPassphrase|PreSharedKey|WEPKey)$/
const SSIDS = /\.SSID$/
const RADIOS = /\.(RadioEnabled|Radio\.\d+\.Enable)$/
const WIFI_MODES = /\.(WPA|IEEE11i)(Encryption|Authentication)Modes?$|\.AccessPoint\.\d+\.Security\.ModeEnabled$/
const DYNAMIC =
  /^Device\.(IP\.Interface\.1\.IPv4Address\.1|Routing\.Router\.1\.IPv4Forwarding\.1|DNS\.Client\.Server\.1)\./
const WAN = /\.WAN(IP|PPP)Connection\.\d+\.|\.IP\.Interface\.\d+\./

/** Faults of simulated devices: scripted ones, and habits of devices in the field. */
const ROWS = {
  rejectsWrite: {
    sentence: 'refuses every write below Device.USPAgent. with 9001',
    cpe: [refusesWrites(/^Device\.USPAgent\./, 9001)],
  },
  rejectsUspWrite: {
    sentence: 'refuses every write below Device.LocalAgent.Subscription. over USP with 7006',
    agent: { rejectWrites: { pattern: '^Device\\.LocalAgent\\.Subscription\\.', code: 7006 } },
  },
  neverOnboards: {
    sentence: 'opens its WebSocket and never sends a Record',
    agent: { neverOnboards: true },
  },
  wrongEndpointId: {
    sentence: 'has another Endpoint ID on the wire than it shows over CWMP',
    agent: (serial) => ({ wrongEndpointId: `self::wrong-${serial.replace(/[^A-Za-z0-9]/g, '')}` }),
  },
  dropsLink: {
    sentence: 'loses its USP link in the middle of work, again and again',
    agent: { dropsLinkAfter: 8 },
  },
  dropsSession: {
    sentence: 'cuts CWMP sessions in the middle, again and again',
    cpe: [dropsSessions(10)],
  },
  powerLoss: { sentence: 'loses its power in the middle, once' },
  slow: {
    sentence: 'answers slowly',
    cpe: [slow(60)],
    agent: { answerDelayMs: 60 },
  },
  fault9002: {
    sentence: 'answers GetParameterValues of more than 5 names with 9002',
    cpe: [refusesBatchesAbove(5)],
  },
  cutsBatches: {
    sentence: 'drops the connection on more than 16 names, or on a read of its whole tree',
    cpe: [breaksAbove(16)],
  },
  wholeTreeTimesOut: {
    sentence: 'does not answer a read of its whole tree in time',
    cpe: [silentOverWholeTree],
  },
  ghosts: {
    sentence: 'lists parameters that it answers with 9005',
    cpe: [ghosts(/\.(HostName|MACAddress|LastChange)$/)],
  },
  emptyTable9005: {
    sentence: 'answers a partial path to an empty table with 9005',
    cpe: [refusesEmptyPaths],
  },
  partialPath9005: {
    sentence: 'answers every partial path, and every NumberOfEntries, with 9005',
    cpe: [refusesPartialPaths],
  },
  maskedSecrets: {
    sentence: 'reads passwords and keys as ****',
    cpe: [readsAs(SECRETS, '****')],
  },
  emptyTypes: {
    sentence: 'sends values without xsi:type',
    cpe: [emptyTypes],
  },
  allStrings: {
    sentence: 'calls every value an xsd:string',
    cpe: [stringTypes],
  },
  onlyStrings: {
    sentence: 'calls every value an xsd:string, and takes no other type',
    cpe: [onlyStringTypes],
  },
  booleanLiterals: {
    sentence: 'takes true and false only for booleans',
    cpe: [booleanWords('true', 'false')],
  },
  booleanWords: {
    sentence: 'takes and sends TRUE and FALSE only for booleans',
    cpe: [booleanWords('TRUE', 'FALSE')],
  },
  wanOneByOne: {
    sentence: 'refuses two values of a WAN connection in one SetParameterValues with 9003',
    cpe: [oneAtATime(WAN)],
  },
  ssidAtBoot: {
    sentence: 'answers Status 1 when an SSID is set: it is applied at the next boot',
    cpe: [appliesAtBoot(SSIDS)],
  },
  ssidRestarts: {
    sentence: 'restarts after a session in which an SSID was set',
    cpe: [restartsOn(SSIDS)],
  },
  radioLies: {
    sentence: 'reads every radio as switched off',
    cpe: [readsAs(RADIOS, 'false')],
  },
  fixedWifiModes: {
    sentence: 'refuses to change its modes of encryption with 9007',
    cpe: [keepsValues(WIFI_MODES, 9007)],
  },
  routerosSoap: {
    sentence: 'sends no SOAP header, single quotes, and times with an offset (RouterOS)',
    cpe: [routerosSoap],
  },
  dynamicRows: {
    sentence: 'refuses writes to rows that it made by itself with 9008',
    cpe: [readOnlyRows(DYNAMIC)],
  },
  keyOnEvent: {
    sentence: 'has the CommandKey of a download on M Download alone, not in TransferComplete',
    cpe: [keyOnEventAlone],
  },
  deviceModeHome: {
    sentence: 'is in the device-mode home: its scripts may not schedule (RouterOS)',
  },
  noCookies: {
    sentence: 'returns no cookies',
    cpe: [noCookies],
  },
  newConnections: {
    sentence: 'opens a TCP connection for every request (Connection: close)',
    cpe: [newConnections],
  },
  authAfter401: {
    sentence: 'sends credentials after a 401 only, each time',
    cpe: [authAfter401],
  },
  noRebootEvent: {
    sentence: 'leaves M Reboot out after a commanded reboot',
    cpe: [noRebootEvent],
  },
  noTimer: {
    sentence: 'has no Device.ScheduleTimer()',
    agent: { noTimer: true },
  },
  deaf: {
    sentence: 'keeps its USP link when its Controller row is deleted, and ignores what comes over it',
    agent: { deaf: true },
  },
} satisfies Record<string, FaultRow>

export type Fault = keyof typeof ROWS
export const FAULTS: readonly Fault[] = Object.keys(ROWS).filter(isFault)

export function isFault(name: string): name is Fault {
  return Object.hasOwn(ROWS, name)
}

/** Returns one line per fault, for people. */
export function describeFaults(): string {
  const width = Math.max(...FAULTS.map((name) => name.length)) + 2
  return FAULTS.map((name) => `  ${name.padEnd(width)}${ROWS[name].sentence}`).join('\n')
}

/** Returns the quirks of both sides for the faults of a device. */
export function quirksOf(faults: readonly Fault[], serial: string): { cpe: CpeQuirk[]; agent: AgentQuirks } {
  const rows = faults.map((fault): FaultRow => ROWS[fault])
  const agents = rows.map(({ agent = {} }) => (typeof agent === 'function' ? agent(serial) : agent))
  return { cpe: rows.flatMap(({ cpe = [] }) => cpe), agent: Object.assign({}, ...agents) }
}
