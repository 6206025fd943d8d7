import { isIPv4, isIPv6 } from 'node:net'
import { type RouterCommand, RouterOsError, type RouterRow } from '../../routeros/index.ts'
import type { CommandCall, CommandResult } from '../../usp/index.ts'
import { failureOf } from '../write/router-failure.ts'
import { badArgument, clamped, interfaceOf, targetOf } from './arguments.ts'
import type { BridgeCommand, CommandTools } from './command.ts'
import { microsecondsOf, millisecondsOf } from './round-trip.ts'

const OBJECT = 'Device.IP.Diagnostics.'
/** Bytes of the headers of IPv4 and ICMP: RouterOS counts them, TR-181 does not. */
const HEADERS = 28
/** Milliseconds between two requests. */
const INTERVAL_MS = 1000
/** Milliseconds for the router beyond those of the diagnostic. */
const SLACK_MS = 5000

/** IPPing() and TraceRoute() (TR-181 Device.IP.Diagnostics). */
export const DIAGNOSTICS: readonly BridgeCommand[] = [
  { object: OBJECT, name: 'IPPing()', needs: ['/system/resource'], level: () => 1, prepare: preparePing },
  { object: OBJECT, name: 'TraceRoute()', needs: ['/system/resource'], level: () => 1, prepare: prepareTrace },
]

/** The attributes that both diagnostics have. */
async function commonOf(call: CommandCall, tools: CommandTools): Promise<Record<string, string>> {
  const address = targetOf(call, tools.policy.allowsLocalTargets)
  const version = call.args.ProtocolVersion ?? 'Any'
  if (!['Any', 'IPv4', 'IPv6', ''].includes(version)) throw badArgument('ProtocolVersion', 'must be Any, IPv4 or IPv6')
  if ((version === 'IPv4' && isIPv6(address)) || (version === 'IPv6' && isIPv4(address)))
    throw badArgument('Host', 'is an address of another ProtocolVersion')
  const name = await interfaceOf(call, tools)
  const dscp = clamped(call, 'DSCP', { min: 0, max: 63, otherwise: 0 })
  return {
    address,
    ...(name === undefined ? {} : { interface: name }),
    ...(dscp === 0 ? {} : { dscp: String(dscp) }),
  }
}

async function preparePing(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const count = clamped(call, 'NumberOfRepetitions', { min: 1, max: 20, otherwise: 4 })
  const timeoutMs = clamped(call, 'Timeout', { min: 1, max: 30_000, otherwise: 5000 })
  const size = clamped(call, 'DataBlockSize', { min: 0, max: 1500 - HEADERS, otherwise: 56 - HEADERS }) + HEADERS
  const common = await commonOf(call, tools)
  const command = (await tools.rows.wordsNow()).run('', 'ping', {
    ...common,
    count: String(count),
    size: String(size),
    interval: '1s',
  })
  const deadlineMs = count * INTERVAL_MS + timeoutMs + SLACK_MS
  return async () => {
    const rows = await diagnose(command, tools, call, deadlineMs)
    return {
      output:
        rows === undefined ? pingOutput([], count, 'Error_CannotResolveHostName') : pingOutput(rows, count, 'Complete'),
    }
  }
}

/** Resolves with the rows of a diagnostic; undefined when the router cannot resolve the name. AgentError. */
async function diagnose(command: RouterCommand, { router }: CommandTools, { signal }: CommandCall, deadlineMs: number) {
  try {
    return (await router.command(command, { signal, deadlineMs })).rows
  } catch (error) {
    if (error instanceof RouterOsError && error.kind === 'trap' && /resolv|dns/i.test(error.all.join()))
      return undefined
    throw failureOf(error, 'operate')
  }
}

function pingOutput(rows: readonly RouterRow[], count: number, status: string): Record<string, string> {
  const last = rows.at(-1) ?? {}
  const times = rows.flatMap(({ time }) => microsecondsOf(time) ?? [])
  const received = numberOf(last.received) ?? times.length
  const sent = numberOf(last.sent) ?? count
  const min = microsecondsOf(last['min-rtt']) ?? (times.length > 0 ? Math.min(...times) : 0)
  const max = microsecondsOf(last['max-rtt']) ?? (times.length > 0 ? Math.max(...times) : 0)
  const average =
    microsecondsOf(last['avg-rtt']) ?? (times.length > 0 ? times.reduce((a, b) => a + b) / times.length : 0)
  const host = rows.find((row) => isIPv4(row.host ?? '') || isIPv6(row.host ?? ''))?.host
  return {
    Status: status,
    IPAddressUsed: host ?? '',
    SuccessCount: String(received),
    FailureCount: String(Math.max(0, sent - received)),
    AverageResponseTime: String(millisecondsOf(average)),
    MinimumResponseTime: String(millisecondsOf(min)),
    MaximumResponseTime: String(millisecondsOf(max)),
    AverageResponseTimeDetailed: String(Math.round(average)),
    MinimumResponseTimeDetailed: String(min),
    MaximumResponseTimeDetailed: String(max),
  }
}

async function prepareTrace(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const hops = clamped(call, 'MaxHopCount', { min: 1, max: 64, otherwise: 30 })
  const timeoutS = Math.ceil(clamped(call, 'Timeout', { min: 1000, max: 10_000, otherwise: 5000 }) / 1000)
  const size = clamped(call, 'DataBlockSize', { min: 0, max: 1500 - HEADERS, otherwise: 56 - HEADERS }) + HEADERS
  const common = await commonOf(call, tools)
  const command = (await tools.rows.wordsNow()).run('/tool', 'traceroute', {
    ...common,
    count: '1',
    size: String(size),
    'max-hops': String(hops),
    timeout: `${timeoutS}s`,
    'use-dns': 'no',
  })
  const deadlineMs = hops * timeoutS * 1000 + SLACK_MS
  return async () => {
    const rows = await diagnose(command, tools, call, deadlineMs)
    return { output: traceOutput(rows, common.address ?? '') }
  }
}

function traceOutput(rows: readonly RouterRow[] | undefined, target: string): Record<string, string> {
  if (rows === undefined) return { Status: 'Error_CannotResolveHostName', IPAddressUsed: '', ResponseTime: '0' }
  // A router sends the table of hops again and again, each time as a section; the last one is whole.
  const section = rows.at(-1)?.['.section']
  const hops = rows.filter((row) => row['.section'] === section)
  const end = hops.at(-1)
  const address = isIPv4(target) || isIPv6(target) ? target : (end?.address ?? '')
  const isReached = end !== undefined && (end.address ?? '') !== '' && end.address === address
  const output: Record<string, string> = {
    Status: isReached ? 'Complete' : 'Error_MaxHopCountExceeded',
    IPAddressUsed: address,
    ResponseTime: String(millisecondsOf(isReached ? timeOf(end) : 0)),
  }
  for (const [i, hop] of hops.entries()) {
    const at = `RouteHops.${i + 1}.`
    output[`${at}Host`] = hop.address ?? ''
    output[`${at}HostAddress`] = hop.address ?? ''
    output[`${at}ErrorCode`] = '0'
    output[`${at}RTTimes`] = (hop.address ?? '') === '' ? '' : String(millisecondsOf(timeOf(hop)))
  }
  return output
}

/** Microseconds of a hop; a plain number is in milliseconds. */
function timeOf({ last, avg }: RouterRow): number {
  const text = last ?? avg
  return /^\d+(\.\d+)?$/.test(text ?? '') ? Math.round(Number(text) * 1000) : (microsecondsOf(text) ?? 0)
}

function numberOf(text: string | undefined): number | undefined {
  return /^\d+$/.test(text ?? '') ? Number(text) : undefined
}
