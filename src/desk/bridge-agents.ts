import { createPublicKey } from 'node:crypto'
import {
  type Bridge,
  type BridgeRouter,
  type BridgeStore,
  type Device,
  type DeviceStore,
  type EndpointId,
  nameOfEndpoint,
  ownerOfBridge,
  type Principal,
} from '../domain/index.ts'
import type { Authority, CertificateStore, CertificateText, IssuedCertificate } from '../pki/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'
import { hadMany, MAX_A_DAY } from './certificate-limit.ts'

interface AgentDeps extends AuditDeps {
  bridges: BridgeStore
  devices: Pick<DeviceStore, 'findByEndpoint'>
  certificates: Pick<CertificateStore, 'ofName' | 'revoke'>
  authority: Authority
}

/** The certificate for the Agent of a router, or the reason why there is none. */
type AgentCertificate = { routerId: string } & (CertificateText | { refused: string })

/**
 * Issues certificates for the Agents of routers, by the identities that the bridge has reported of them. One is refused
 * whose Endpoint ID another bridge speaks for, and one whose device is bound to an Agent that no bridge brought: a bridge
 * takes no device from anybody.
 */
export async function issueAgentCertificates(
  deps: AgentDeps,
  bridge: Bridge,
  routerIds: readonly string[],
  by: Principal,
): Promise<AgentCertificate[]> {
  const { id, keys } = bridge
  if (keys === undefined) return []
  const judged: { routerId: string; endpointId?: string; refused?: string }[] = []
  for (const routerId of new Set(routerIds)) {
    const router = await deps.bridges.router(id, routerId)
    const endpointId = router?.state?.identity?.endpointId
    const refused = router === undefined ? 'the bridge has no such router' : await refusal(deps, bridge, router)
    judged.push({
      routerId,
      ...(endpointId === undefined ? {} : { endpointId }),
      ...(refused === undefined ? {} : { refused }),
    })
  }
  const good = judged.flatMap(({ routerId, endpointId, refused }) =>
    endpointId === undefined || refused !== undefined ? [] : [{ routerId, endpointId }],
  )
  const publicKey = createPublicKey(keys.certificateKey)
  const orders = good.map(({ endpointId }) => ({
    owner: ownerOfBridge(id),
    publicKey,
    commonName: endpointId,
    names: [nameOfEndpoint(endpointId)],
  }))
  const after = { endpointIds: good.map(({ endpointId }) => endpointId) }
  const made =
    good.length === 0
      ? []
      : await auditedBy(deps, by, { action: 'bridge.issueCertificates', target: id, after }, () =>
          deps.authority.issue(orders),
        )
  return judged.map(({ routerId, refused = 'its identity is not known yet' }) => {
    const text = made[good.findIndex((one) => one.routerId === routerId)]
    return text === undefined ? { routerId, refused } : { routerId, ...text }
  })
}

async function refusal(deps: AgentDeps, bridge: Bridge, router: BridgeRouter): Promise<string | undefined> {
  const endpointId = router.state?.identity?.endpointId
  if (endpointId === undefined) return 'its identity is not known yet'
  const before = await deps.certificates.ofName(nameOfEndpoint(endpointId))
  const others = (await deps.bridges.routersOfEndpoints([endpointId])).filter(({ bridgeId }) => bridgeId !== bridge.id)
  const now = deps.clock.now()
  const holder = before.find(
    ({ owner, revokedAt, notAfter }) =>
      revokedAt === undefined && notAfter > now && others.some(({ bridgeId }) => owner === ownerOfBridge(bridgeId)),
  )
  const other = others.find(({ bridgeId }) => holder?.owner === ownerOfBridge(bridgeId))
  if (other !== undefined)
    return `bridge ${other.bridgeId} speaks for ${endpointId} at ${other.address}: delete the router there first`
  const device = await deps.devices.findByEndpoint(endpointId as EndpointId)
  if (device !== undefined && !wasBrought(device, before))
    return `${endpointId} is bound to ${device.id} by another Agent: DELETE /devices/{id}/binding, if this bridge is to speak for it`
  if (hadMany(before, now))
    return `${endpointId} had ${MAX_A_DAY} certificates within a day: the bridge asks too often, look at its clock and its state folder`
  // Certificates of a bridge that had the router before prove nothing any more.
  const stale = before.some(({ owner, revokedAt }) => revokedAt === undefined && owner !== ownerOfBridge(bridge.id))
  if (stale)
    await deps.certificates.revoke({ name: nameOfEndpoint(endpointId) }, 'another bridge speaks for the router', now)
  return undefined
}

/** True when a bridge has brought the Agent of a device: a certificate of one was good when it was bound. */
function wasBrought({ binding }: Pick<Device, 'binding'>, issued: readonly IssuedCertificate[]): boolean {
  if (binding?.proof === 'bridge') return true
  const at = binding?.at ?? 0
  return issued.some(
    ({ issuedAt, notAfter, revokedAt = notAfter }) => issuedAt <= at && at <= Math.min(revokedAt, notAfter),
  )
}

/** Resolves with true when the Agent that a device is bound to was brought by a bridge. */
export async function isBroughtByBridge(
  certificates: Pick<CertificateStore, 'ofName'>,
  device: Pick<Device, 'binding'>,
): Promise<boolean> {
  const { binding } = device
  return binding !== undefined && wasBrought(device, await certificates.ofName(nameOfEndpoint(binding.endpointId)))
}
