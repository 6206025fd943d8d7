import { existsSync, readFileSync } from 'node:fs'
import { AppError, errorText } from '../base/index.ts'
import { BRIDGE_OPTIONS, type BridgeOptions } from './bridge-options.ts'
import { isLoopback } from './loopback.ts'
import { type OptionRow, variableOf } from './option-row.ts'
import { type Config, OPTIONS } from './options.ts'
import { nonEmpty, type Problem, readText, type Value } from './texts.ts'

/**
 * Reads the configuration: a flag wins over its variable, a variable over the default. A secret can be in a file that
 * the variable with `_FILE` behind its name points to, as containers get them. Throws one AppError `invalid` with all
 * problems, one per line, each naming the option and what it takes.
 */
export function readConfig(flags: Readonly<Record<string, string | undefined>>, env: NodeJS.ProcessEnv): Config {
  const problems: string[] = []
  const values = readRows(OPTIONS, flags, env, problems)
  for (const name of unknownVariables(env)) problems.push(`${name} is not an option; see README, Configuration`)
  problems.push(...tlsProblems(values), ...portProblems(values), ...brokerProblems(brokerOfServer(values)))
  if (problems.length > 0) throw new AppError('invalid', `configuration:\n  ${problems.join('\n  ')}`)
  // Each value was read by the row that the type is made of.
  return Object.freeze(values) as Config
}

/**
 * Reads the options of a bridge as `readConfig` reads those of the server. AppError `invalid` with all problems; either
 * a server or a file has to name the routers.
 */
export function readBridgeOptions(
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
): BridgeOptions {
  const problems: string[] = []
  const values = readRows(BRIDGE_OPTIONS, flags, env, problems)
  for (const name of unknownVariables(env).filter((name) => name.startsWith(OF_BRIDGE)))
    problems.push(`${name} is not an option; see isthmus bridge --help`)
  if ((values.server === undefined) === (values.routers === undefined))
    problems.push('give either --server, whose bridge this is, or --routers, a file')
  if (values.routers !== undefined && values.controllerId === undefined && values.mqttUrl === undefined)
    problems.push(
      '--routers needs --controller-id, the Endpoint ID of the Controller that the Agents connect to, or --mqtt-url',
    )
  problems.push(...brokerProblems(brokerOfBridge(values)))
  if (problems.length > 0) throw new AppError('invalid', `configuration:\n  ${problems.join('\n  ')}`)
  // Each value was read by the row that the type is made of.
  return Object.freeze(values) as BridgeOptions
}

/** A broker as options name it, and the names of these. */
interface BrokerValues {
  url: Value | undefined
  certificate: Value | undefined
  key: Value | undefined
  isPlainAllowed: boolean
  /** `--mqtt` or `--telemetry`. */
  flags: string
  /** The option that allows a broker without TLS. */
  plainFlag: string
}

function brokerOfBridge({ mqttUrl, mqttCert, mqttKey, allowPlainMqtt }: Record<string, Value>): BrokerValues {
  return {
    url: mqttUrl,
    certificate: mqttCert,
    key: mqttKey,
    isPlainAllowed: allowPlainMqtt === true,
    flags: '--mqtt',
    plainFlag: '--allow-plain-mqtt',
  }
}

function brokerOfServer(values: Record<string, Value>): BrokerValues {
  const { telemetryUrl, telemetryCert, telemetryKey, telemetryPlain } = values
  return {
    url: telemetryUrl,
    certificate: telemetryCert,
    key: telemetryKey,
    isPlainAllowed: telemetryPlain === true,
    flags: '--telemetry',
    plainFlag: '--telemetry-plain true',
  }
}

function brokerProblems({ url, certificate, key, isPlainAllowed, flags, plainFlag }: BrokerValues): string[] {
  const problems: string[] = []
  if ((certificate === undefined) !== (key === undefined)) problems.push(`${flags}-cert and ${flags}-key go together`)
  if (typeof url !== 'string') return problems
  if (!URL.canParse(url)) return [...problems, `${flags}-url is no address`]
  const { protocol, hostname } = new URL(url)
  const isSafe = protocol === 'mqtts:' || protocol === 'wss:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
  if (!isSafe && !isPlainAllowed)
    problems.push(`${flags}-url: a broker on another machine needs mqtts: or wss:, or ${plainFlag}`)
  return problems
}

/** Reads the rows of a table from flags, variables and defaults; what is wrong is added to the problems. */
function readRows(
  rows: readonly OptionRow[],
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
  problems: string[],
): Record<string, Value> {
  const values: Record<string, Value> = {}
  for (const row of rows) {
    const text = nonEmpty(flags[row.key]) ?? fromEnvironment(row, env) ?? row.default
    if (text === undefined) continue
    const value = typeof text === 'string' ? readText(row, text) : text
    if (typeof value === 'object') problems.push(`${row.flag} (${variableOf(row)}): ${value.problem}`)
    else if (row.type !== 'switch' || value === true) values[row.key] = value
  }
  return values
}

function fromEnvironment(row: OptionRow, env: NodeJS.ProcessEnv): string | Problem | undefined {
  const text = nonEmpty(env[variableOf(row)])
  const file = row.secret === true ? nonEmpty(env[fileVariableOf(row)]) : undefined
  if (file === undefined) return text
  if (text !== undefined) return { problem: `is given twice, also by ${fileVariableOf(row)}` }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    return { problem: `${fileVariableOf(row)} cannot be read: ${errorText(error)}` }
  }
}

function fileVariableOf(row: OptionRow): string {
  return `${variableOf(row)}_FILE`
}

/** The beginning of the variables of a bridge. */
const OF_BRIDGE = 'ISTHMUS_BRIDGE_'

/** ISTHMUS_ variables that no option has: most likely a misspelling, which must not pass in silence. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const rows: readonly OptionRow[] = [...OPTIONS, ...BRIDGE_OPTIONS]
  const known = new Set([...rows.map(variableOf), ...rows.filter(({ secret }) => secret).map(fileVariableOf)])
  // Read by the set-up and the test runs, not by the server's option table.
  const others = new Set(['ISTHMUS_ENGINE_CACHE', 'ISTHMUS_API_KEY'])
  return Object.keys(env).filter((name) => name.startsWith('ISTHMUS_') && !known.has(name) && !others.has(name))
}

function tlsProblems(values: Record<string, Value>): string[] {
  const problems: string[] = []
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined))
    problems.push('--tls-cert and --tls-key go together')
  if ((values.apiTlsCert === undefined) !== (values.apiTlsKey === undefined))
    problems.push('--api-tls-cert and --api-tls-key go together')
  if (values.apiTlsCert !== undefined && values.apiTls === 'off')
    problems.push('--api-tls-cert is without use while --api-tls is off')
  if (values.tlsClientCa !== undefined && values.tlsCert === undefined)
    problems.push('--tls-client-ca needs --tls-cert: without TLS no device shows a certificate')
  if (values.agentAdmission === 'certificate' && values.tlsClientCa === undefined)
    problems.push(
      '--agent-admission certificate needs --tls-client-ca: no certificate of a device is trusted without it',
    )
  for (const { key, flag } of OPTIONS.filter(({ type, key }) => type === 'path' && key !== 'dataDir')) {
    const path = values[key]
    if (typeof path === 'string' && !existsSync(path)) problems.push(`${flag}: there is no file ${path}`)
  }
  return problems
}

/** Listeners that would want the same port; 0 takes a free one each. */
function portProblems(values: Record<string, Value>): string[] {
  const listeners = [
    'apiPort',
    'uspPort',
    ...(values.plainCwmp === false ? [] : ['cwmpPort']),
    ...(values.tlsCert === undefined && values.plainCwmp !== false ? [] : ['cwmpsPort']),
  ]
  const rows = (OPTIONS as readonly OptionRow[]).filter(({ key }) => listeners.includes(key))
  return rows.flatMap((row, i) => {
    const other = rows.slice(0, i).find(({ key }) => values[key] === values[row.key])
    const port = values[row.key]
    return other === undefined || port === 0 || port === undefined
      ? []
      : [`${other.flag} and ${row.flag} are both ${port}`]
  })
}
