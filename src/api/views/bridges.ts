import { type Bridge, type BridgeRouter, deviceOfRouter, isBridgeConnected } from '../../domain/index.ts'
import { type CertificateText, renewalTime } from '../../pki/index.ts'
import { iso, withTimes } from './views.ts'

/** A bridge as the API shows it: its keys and tokens are facts and times alone. */
export function bridgeView(bridge: Bridge, now: number): Record<string, unknown> {
  const { enrolment, keys, routersVersion: _version, ...rest } = bridge
  const isOpen = enrolment !== undefined && enrolment.usedBy === undefined && enrolment.expiresAt > now
  return withTimes({
    ...rest,
    registered: keys !== undefined,
    ...(keys === undefined ? {} : { registeredAt: keys.registeredAt, sealingKey: keys.sealingKey }),
    ...(isOpen ? { tokenExpiresAt: enrolment.expiresAt } : {}),
    connected: isBridgeConnected(bridge, now),
  })
}

/** A router as the API shows it: without its login. `bound`: the device that has the Endpoint ID of its Agent. */
export function routerView(router: BridgeRouter, bound: string | undefined): Record<string, unknown> {
  const { login: _login, place: _place, ...rest } = router
  const deviceId = bound ?? deviceOfRouter(router)
  const { state, ...row } = rest
  return {
    ...withTimes(row),
    agent: row.agent !== false,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(state === undefined ? {} : { state: withTimes(state) }),
  }
}

/** A router as its bridge gets it: what it needs to reach it, and the login that it alone can open. */
export function ownRouterView(router: BridgeRouter): Record<string, unknown> {
  const { id, address, port, transport, fingerprint, policy, tags, mqtt, agent = true, revision, login } = router
  const { snmp, snmpPort } = router
  return { id, address, port, transport, fingerprint, policy, tags, mqtt, snmp, snmpPort, agent, revision, login }
}

/** A certificate with its text, as its holder gets it. */
export function certificateView({ pem, certificate }: CertificateText): Record<string, unknown> {
  const { notBefore, notAfter } = certificate
  const [from, until, renewAt] = [notBefore, notAfter, renewalTime(certificate)].map(iso)
  return { certificate: pem, notBefore: from, notAfter: until, renewAt }
}
