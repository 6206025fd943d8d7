import type { CpeQuirks } from '../cwmp/index.ts'
import type { AgentQuirks } from './agent-quirks.ts'

/** One fault of a device: a sentence for people, and the quirks of either side. */
interface FaultRow {
  sentence: string
  apply(cpe: CpeQuirks, agent: AgentQuirks, serial: string): void
}

/** Faults of simulated devices: scripted ones, and habits of devices in the field. */
const ROWS = {
  rejectsWrite: {
    sentence: 'refuses every write below Device.USPAgent. with 9001',
    apply(cpe) {
      cpe.rejectWrites = { pattern: '^Device\\.USPAgent\\.', code: 9001 }
    },
  },
  rejectsUspWrite: {
    sentence: 'refuses every write below Device.LocalAgent.Subscription. over USP with 7006',
    apply(_cpe, agent) {
      agent.rejectWrites = { pattern: '^Device\\.LocalAgent\\.Subscription\\.', code: 7006 }
    },
  },
  neverOnboards: {
    sentence: 'opens its WebSocket and never sends a Record',
    apply(_cpe, agent) {
      agent.neverOnboards = true
    },
  },
  wrongEndpointId: {
    sentence: 'has another Endpoint ID on the wire than it shows over CWMP',
    apply(_cpe, agent, serial) {
      agent.wrongEndpointId = `self::wrong-${serial.replace(/[^A-Za-z0-9]/g, '')}`
    },
  },
  dropsLink: {
    sentence: 'loses its USP link in the middle of work, again and again',
    apply(_cpe, agent) {
      agent.dropsLinkAfter = 8
    },
  },
  dropsSession: {
    sentence: 'cuts CWMP sessions in the middle, again and again',
    apply(cpe) {
      cpe.dropAfterRequests = 10
    },
  },
  powerLoss: { sentence: 'loses its power in the middle, once', apply: () => undefined },
  slow: {
    sentence: 'answers slowly',
    apply(cpe, agent) {
      cpe.answerDelayMs = 60
      agent.answerDelayMs = 60
    },
  },
  fault9002: {
    sentence: 'answers GetParameterValues of more than 5 names with 9002',
    apply(cpe) {
      cpe.fault9002Above = 5
    },
  },
  cutsBatches: {
    sentence: 'drops the connection on more than 16 names, or on a read of its whole tree',
    apply(cpe) {
      cpe.cutsAbove = 16
    },
  },
  ghosts: {
    sentence: 'lists parameters that it answers with 9005',
    apply(cpe) {
      cpe.ghosts = '\\.(HostName|MACAddress|LastChange)$'
    },
  },
  emptyTable9005: {
    sentence: 'answers a partial path to an empty table with 9005',
    apply(cpe) {
      cpe.emptyTable9005 = true
    },
  },
  emptyTypes: {
    sentence: 'sends values without xsi:type',
    apply(cpe) {
      cpe.emptyTypes = true
    },
  },
  allStrings: {
    sentence: 'calls every value an xsd:string',
    apply(cpe) {
      cpe.allStrings = true
    },
  },
  booleanLiterals: {
    sentence: 'takes true and false only for booleans',
    apply(cpe) {
      cpe.booleanLiterals = true
    },
  },
  noCookies: {
    sentence: 'returns no cookies',
    apply(cpe) {
      cpe.noCookies = true
    },
  },
  newConnections: {
    sentence: 'opens a TCP connection for every request (Connection: close)',
    apply(cpe) {
      cpe.newConnections = true
    },
  },
  authAfter401: {
    sentence: 'sends credentials after a 401 only, each time',
    apply(cpe) {
      cpe.authAfter401 = true
    },
  },
  noRebootEvent: {
    sentence: 'leaves M Reboot out after a commanded reboot',
    apply(cpe) {
      cpe.noRebootEvent = true
    },
  },
  noTimer: {
    sentence: 'has no Device.ScheduleTimer()',
    apply(_cpe, agent) {
      agent.noTimer = true
    },
  },
  deaf: {
    sentence: 'keeps its USP link when its Controller row is deleted, and ignores what comes over it',
    apply(_cpe, agent) {
      agent.deaf = true
    },
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
export function quirksOf(faults: readonly Fault[], serial: string): { cpe: CpeQuirks; agent: AgentQuirks } {
  const cpe: CpeQuirks = {}
  const agent: AgentQuirks = {}
  for (const fault of faults) {
    const row: FaultRow = ROWS[fault]
    row.apply(cpe, agent, serial)
  }
  return { cpe, agent }
}
