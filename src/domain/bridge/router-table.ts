import { isIP } from 'node:net'
import { ROUTER_POLICIES } from '../device/router-os.ts'
import {
  MAX_ROUTER_ADDRESS,
  MAX_ROUTER_LOGIN,
  MAX_ROUTER_TAG,
  MAX_ROUTER_TAGS,
  MAX_ROUTERS_IN_TABLE,
  ROUTER_TRANSPORTS,
  type RouterLogin,
  type RouterSettings,
  SNMP_AUTH,
  SNMP_PRIVACY,
  SNMP_USES,
  type SnmpLogin,
  snmpLoginProblem,
} from './router.ts'

/** A router as a line of a table describes it. */
type RouterLine = RouterSettings & { login?: RouterLogin }

/** The routers of a table, or what is wrong with its lines. */
type RouterTable = { routers: RouterLine[] } | { problems: { line: number; text: string }[] }

/** The columns of a table of routers; `address` alone is needed. */
const ROUTER_COLUMNS = [
  'address',
  'port',
  'transport',
  'username',
  'password',
  'fingerprint',
  'policy',
  'tags',
  'mqtt',
  'snmp',
  'snmp_port',
  'snmp_community',
  'snmp_user',
  'snmp_auth',
  'snmp_auth_key',
  'snmp_privacy',
  'snmp_privacy_key',
] as const
type Column = (typeof ROUTER_COLUMNS)[number]

/** Columns whose fields are taken as they are, with the blanks around them. */
const SECRETS: ReadonlySet<Column> = new Set(['password', 'snmp_community', 'snmp_auth_key', 'snmp_privacy_key'])
const MAX_PROBLEMS = 20
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/
/** SHA-256 in hexadecimal digits, with or without colons. */
const FINGERPRINT = /^(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/

/** Returns true for a host name or an address. */
export function isRouterAddress(text: string): boolean {
  return text.length <= MAX_ROUTER_ADDRESS && (isIP(text) !== 0 || HOST_NAME.test(text))
}

/** Returns a fingerprint in its one form, 64 lower-case hexadecimal digits; undefined for a text that is none. */
export function asFingerprint(text: string): string | undefined {
  return FINGERPRINT.test(text) ? text.replaceAll(':', '').toLowerCase() : undefined
}

/**
 * Reads a table of routers: CSV (RFC 4180) with a first line of column names, see `ROUTER_COLUMNS`; tags are separated by
 * blanks. Empty fields stand for defaults: the usual port, transport auto, policy L1, no MQTT, no SNMP. Lines that are empty or
 * begin with `#` are left out.
 */
export function readRouterTable(text: string): RouterTable {
  const problems: { line: number; text: string }[] = []
  const [head, ...lines] = csvLines(text, problems)
  if (problems.length > 0) return { problems }
  if (head === undefined) return { problems: [{ line: 1, text: 'the table has no line of column names' }] }
  const columns = head.fields.map((name) => name.trim().toLowerCase())
  if (columns.length === 1 && columns[0]?.includes(';'))
    return { problems: [{ line: head.line, text: 'columns are separated by semicolons: separate them by commas' }] }
  for (const name of columns)
    if (!isColumn(name)) problems.push({ line: head.line, text: `there is no column ${name}; ${COLUMNS_TEXT}` })
  if (!columns.includes('address'))
    problems.push({ line: head.line, text: `the column address is missing; ${COLUMNS_TEXT}` })
  if (lines.length > MAX_ROUTERS_IN_TABLE)
    problems.push({ line: head.line, text: `the table has more than ${MAX_ROUTERS_IN_TABLE} routers` })
  if (problems.length > 0) return { problems: problems.slice(0, MAX_PROBLEMS) }
  const routers: RouterLine[] = []
  for (const { line, fields } of lines) {
    const wrong = (what: string) => problems.push({ line, text: what })
    if (fields.length > columns.length)
      wrong(`the line has ${fields.length} fields, and there are ${columns.length} columns`)
    const value = (name: Column) => {
      const at = columns.indexOf(name)
      const field = at < 0 ? '' : (fields[at] ?? '')
      return SECRETS.has(name) ? field : field.trim()
    }
    const router = readLine(value, wrong)
    if (router !== undefined) routers.push(router)
    if (problems.length >= MAX_PROBLEMS) break
  }
  return problems.length > 0 ? { problems } : { routers }
}

const COLUMNS_TEXT = `the columns are ${ROUTER_COLUMNS.join(', ')}`

function isColumn(name: string): boolean {
  return ROUTER_COLUMNS.some((column) => column === name)
}

function readLine(value: (name: Column) => string, wrong: (text: string) => void): RouterLine | undefined {
  const address = value('address')
  if (!isRouterAddress(address)) wrong(`${shown(address)} is no address: a host name or an IP address`)
  const port = value('port')
  if (!isPort(port)) wrong(`${shown(port)} is no port: 1 to 65535`)
  const transport = oneOf(ROUTER_TRANSPORTS, value('transport'), 'auto', (text) => wrong(`transport ${text}`))
  const policy = oneOf(ROUTER_POLICIES, value('policy').toUpperCase(), 'L1', (text) => wrong(`policy ${text}`))
  const given = value('fingerprint')
  const fingerprint = asFingerprint(given)
  if (given !== '' && fingerprint === undefined) wrong('the fingerprint is no SHA-256: 64 hexadecimal digits')
  const mqtt = oneOf(['true', 'false'], value('mqtt').toLowerCase(), 'false', (text) => wrong(`mqtt ${text}`))
  const tags = value('tags')
    .split(/\s+/)
    .filter((tag) => tag !== '')
  if (tags.length > MAX_ROUTER_TAGS || tags.some((tag) => tag.length > MAX_ROUTER_TAG))
    wrong(`a router has ${MAX_ROUTER_TAGS} tags of ${MAX_ROUTER_TAG} characters at most`)
  const [username, password] = [value('username'), value('password')]
  if (username === '' && password !== '') wrong('the line has a password and no username')
  for (const text of [username, password]) if (!isLoginText(text)) wrong(LOGIN_TEXT)
  const snmp = oneOf(SNMP_USES, value('snmp').toLowerCase(), 'off', (text) => wrong(`snmp ${text}`))
  const snmpPort = value('snmp_port')
  if (!isPort(snmpPort)) wrong(`snmp_port ${shown(snmpPort)} is no port: 1 to 65535`)
  const snmpLogin = readSnmpLogin(value, wrong)
  if (snmpLogin !== undefined && username === '')
    wrong('a login of SNMP is sealed together with username and password: the line needs both')
  if (transport === undefined || policy === undefined || mqtt === undefined || snmp === undefined) return undefined
  return {
    address,
    ...(port === '' ? {} : { port: Number(port) }),
    transport,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    policy,
    tags,
    mqtt: mqtt === 'true',
    ...(snmp === 'off' ? {} : { snmp }),
    ...(snmpPort === '' ? {} : { snmpPort: Number(snmpPort) }),
    ...(username === ''
      ? {}
      : { login: { username, password, ...(snmpLogin === undefined ? {} : { snmp: snmpLogin }) } }),
  }
}

function isPort(text: string): boolean {
  return /^\d{0,5}$/.test(text) && Number(text) <= 65_535 && text !== '0'
}

/** The login of SNMP of a line; undefined without one, and for one that is wrong. */
function readSnmpLogin(value: (name: Column) => string, wrong: (text: string) => void): SnmpLogin | undefined {
  const [community, user] = [value('snmp_community'), value('snmp_user')]
  const [authKey, privacyKey] = [value('snmp_auth_key'), value('snmp_privacy_key')]
  for (const text of [community, user, authKey, privacyKey]) if (!isLoginText(text)) wrong(`snmp: ${LOGIN_TEXT}`)
  const auth = oneOf(SNMP_AUTH, value('snmp_auth').toLowerCase(), 'sha', (text) => wrong(`snmp_auth ${text}`))
  const privacy = oneOf(SNMP_PRIVACY, value('snmp_privacy').toLowerCase(), 'aes', (text) =>
    wrong(`snmp_privacy ${text}`),
  )
  if (community === '' && user === '') {
    if (authKey + privacyKey !== '') wrong('the line has a key of SNMP and no snmp_user')
    return undefined
  }
  if (community !== '' && user !== '') {
    wrong('the line has both snmp_community, for v2c, and snmp_user, for v3')
    return undefined
  }
  if (auth === undefined || privacy === undefined) return undefined
  const login: SnmpLogin =
    user === ''
      ? { community }
      : { user, auth: { protocol: auth, key: authKey }, privacy: { protocol: privacy, key: privacyKey } }
  const problem = snmpLoginProblem(login)
  if (problem === undefined) return login
  wrong(problem)
  return undefined
}

const LOGIN_TEXT = `user names and passwords have ${MAX_ROUTER_LOGIN} bytes at most and no control characters`

/** Returns true for a text that may be a user name or a password of a router. */
export function isLoginText(text: string): boolean {
  return Buffer.byteLength(text) <= MAX_ROUTER_LOGIN && !hasControls(text)
}

function hasControls(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

function oneOf<const T extends string>(
  choices: readonly T[],
  text: string,
  otherwise: T,
  wrong: (text: string) => void,
): T | undefined {
  if (text === '') return otherwise
  const found = choices.find((choice) => choice === text)
  if (found === undefined) wrong(`is ${shown(text)}; it is one of ${choices.join(', ')}`)
  return found
}

function shown(text: string): string {
  return `"${text.slice(0, 60)}"`
}

/** The lines of a CSV text with their numbers; a quoted field may hold commas, quotes and line ends. */
function csvLines(text: string, problems: { line: number; text: string }[]): { line: number; fields: string[] }[] {
  const lines: { line: number; fields: string[] }[] = []
  let line = 1
  let begun = 1
  let fields: string[] = []
  let at = text.startsWith('\uFEFF') ? 1 : 0
  const endLine = () => {
    const isEmpty = fields.every((field) => field.trim() === '')
    if (!isEmpty && fields[0]?.trim().startsWith('#') !== true) lines.push({ line: begun, fields })
    fields = []
  }
  while (at < text.length) {
    if (fields.length === 0) begun = line
    if (text[at] === '"') {
      let field = ''
      for (at++; ; at++) {
        if (at >= text.length) {
          problems.push({ line: begun, text: 'a quoted field has no end' })
          return []
        }
        if (text[at] === '\n') line++
        if (text[at] === '"') {
          if (text[at + 1] !== '"') break
          at++
        }
        field += text[at]
      }
      at++
      fields.push(field)
    } else {
      const end = text.slice(at).search(/[,\r\n]/)
      fields.push(end < 0 ? text.slice(at) : text.slice(at, at + end))
      at = end < 0 ? text.length : at + end
    }
    if (text[at] === ',') {
      at++
      if (at === text.length || text[at] === '\n' || text[at] === '\r') fields.push('')
    } else if (at < text.length && text[at] !== '\r' && text[at] !== '\n') {
      problems.push({ line: begun, text: 'a quoted field goes on behind its quote' })
      return []
    }
    if (text[at] === '\r' || text[at] === '\n' || at >= text.length) {
      if (text[at] === '\r' && text[at + 1] === '\n') at++
      at++
      line++
      endLine()
    }
  }
  return lines
}
