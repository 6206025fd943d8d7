import { AppError } from '../base/index.ts'
import { allDevices, type Page } from './answers.ts'
import type { ApiClient } from './api-client.ts'

const GROUPS = [
  {
    name: 'gateways',
    description: 'TR-181 devices, and two MikroTik routers behind a bridge; the group that moves',
    selector: 'manufacturer==Northbridge,manufacturer=="Marsh Networks"',
  },
  {
    name: 'legacy',
    description: 'TR-098 devices of several vendors, which stay on CWMP',
    selector: 'root==InternetGatewayDevice.',
  },
  { name: 'mikrotik', description: 'MikroTik routers behind a bridge', selector: 'manufacturer==MikroTik' },
  { name: 'usp-only', description: 'devices delivered with USP', selector: 'manufacturer==Kestrel' },
]
/** A demo is watched: what takes minutes in the field takes seconds here. */
const PLAN_SETTINGS = {
  maxInFlight: 40,
  soakMs: 3000,
  awaitUspTimeoutMs: 20_000,
  verifyTimeoutMs: 60_000,
  offlineTimeoutMs: 60_000,
  maxAttempts: 2,
  retryBackoffMs: 2000,
  failureGatePercent: 60,
  gateMinSample: 50,
}
const REGISTER_TIMEOUT_MS = 180_000
/** More devices may take longer, each by so much. */
export const PER_DEVICE_MS = 1500

/** Makes the groups of the demo that are missing; returns their ids by name. `routers`: serial numbers that move, too. */
export async function ensureGroups(api: ApiClient, routers: readonly string[]): Promise<Map<string, string>> {
  const { items } = await api.get<Page<{ id: string; name: string }>>('/groups?limit=1000')
  const ids = new Map(items.map((group) => [group.name, group.id]))
  for (const group of GROUPS) {
    const selector = group.name === 'gateways' ? `${group.selector},serial=in=(${routers.join(',')})` : group.selector
    if (ids.has(group.name)) continue
    ids.set(group.name, (await api.send<{ id: string }>('POST', '/groups', { ...group, selector })).id)
  }
  return ids
}

/** Waits until each of these devices has registered and was read. AppError `timeout` when some do not. */
export async function untilRegistered(
  api: ApiClient,
  deviceIds: ReadonlySet<string>,
  stopping: () => boolean,
): Promise<void> {
  const begun = Date.now()
  const expected = deviceIds.size
  for (let shown = ''; !stopping(); ) {
    const devices = (await allDevices(api)).filter(({ id }) => deviceIds.has(id))
    const known = devices.filter(
      (device) => device.usp?.onboardedFor !== undefined || (device.cwmp?.discoveredFor ?? '') !== '',
    ).length
    const line = `${devices.length} of ${expected} devices registered, ${known} read`
    if (line !== shown) console.log(line)
    shown = line
    if (known >= expected) return
    if (Date.now() - begun > REGISTER_TIMEOUT_MS + expected * PER_DEVICE_MS)
      throw new AppError('timeout', `only ${known} of ${expected} devices came; see the log`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** Makes the plan of a group and starts it, unless it was started before; returns its id. */
export async function ensurePlan(api: ApiClient, groupId: string): Promise<string> {
  const { items } = await api.get<Page<{ id: string; groupId: string; state: string }>>('/plans')
  const present = items.find((plan) => plan.groupId === groupId)
  if (present !== undefined && present.state !== 'draft') return present.id
  const id =
    present?.id ??
    (await api.send<{ id: string }>('POST', '/plans', { name: 'gateways to USP', groupId, settings: PLAN_SETTINGS })).id
  await api.send('POST', `/plans/${id}/actions/start`)
  return id
}
