import { isObject } from '../../base/index.ts'
import { SNMP_AUTH, SNMP_PRIVACY, type SnmpLogin, snmpLoginProblem } from '../../domain/index.ts'

/**
 * Returns the login of SNMP that a client has sealed; undefined when there is none, and for one of another form: the
 * server cannot have checked it.
 */
export function readSnmpLogin(value: unknown): SnmpLogin | undefined {
  const { community, user, auth, privacy } = fieldsOf(value)
  const login: SnmpLogin | undefined =
    typeof community === 'string' ? { community } : typeof user === 'string' ? userOf(user, auth, privacy) : undefined
  return login === undefined || snmpLoginProblem(login) !== undefined ? undefined : login
}

function userOf(user: string, auth: unknown, privacy: unknown): SnmpLogin | undefined {
  const [own, secret] = [fieldsOf(auth), fieldsOf(privacy)]
  const authProtocol = SNMP_AUTH.find((one) => one === own.protocol)
  const privacyProtocol = SNMP_PRIVACY.find((one) => one === secret.protocol)
  if (authProtocol === undefined || privacyProtocol === undefined) return undefined
  if (typeof own.key !== 'string' || typeof secret.key !== 'string') return undefined
  const keys = {
    auth: { protocol: authProtocol, key: own.key },
    privacy: { protocol: privacyProtocol, key: secret.key },
  }
  return { user, ...keys }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}
