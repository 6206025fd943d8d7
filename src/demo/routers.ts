import { AppError } from '../base/index.ts'
import { allDevices, type DemoDevice, type Page } from './answers.ts'
import type { ApiClient } from './api-client.ts'

/** An emulated MikroTik router as the fleet reports it. */
export interface EmulatedSummary {
  serial: string
  host: string
  tlsPort: number
  user: string
  password: string
  /** SHA-256 of the certificate of its API. */
  fingerprint: string
}

/** The bridge of the demo; `token`: its process has not registered yet. */
export interface DemoBridge {
  id: string
  token?: string
}

interface Row {
  id: string
  tags: string[]
  deviceId?: string
}

const NAME = 'demo'
const HOST_NAME = 'Device.DeviceInfo.HostName'
const NEW_NAME = 'pop-north'
const WAIT_MS = 180_000
const STEP_MS = 500

/** Makes the bridge of the demo, unless it is there; a process that has not registered gets a new token. */
export async function ensureBridge(api: ApiClient): Promise<DemoBridge> {
  const { items } = await api.get<Page<{ id: string; name: string; registered: boolean }>>('/bridges?limit=1000')
  const present = items.find(({ name }) => name === NAME)
  if (present === undefined) return api.send<DemoBridge>('POST', '/bridges', { name: NAME })
  const { id, registered } = present
  return registered ? { id } : api.send<DemoBridge>('POST', `/bridges/${id}/token`, {})
}

/**
 * Gives the bridge its routers, with the addresses and logins that they have since this start. `moved`: serial numbers of
 * those that a plan moves, whose Agents wait for it. Resolves with the devices by serial number once all are known.
 */
export async function ensureRouters(
  api: ApiClient,
  bridgeId: string,
  routers: readonly EmulatedSummary[],
  moved: ReadonlySet<string>,
  stopping: () => boolean,
): Promise<Map<string, string>> {
  await until(
    async () => (await api.get<{ sealingKey?: string }>(`/bridges/${bridgeId}`)).sealingKey !== undefined,
    'the bridge did not register',
    stopping,
  )
  const path = `/bridges/${bridgeId}/routers`
  const rows = async () => (await api.get<Page<Row>>(`${path}?limit=1000`)).items
  const present = new Map((await rows()).map((row) => [row.tags[0], row.id]))
  for (const { serial, host: address, tlsPort, user, password, fingerprint } of routers) {
    if (stopping()) return new Map()
    const reached = { address, port: tlsPort, fingerprint, login: { username: user, password } }
    const id = present.get(serial)
    if (id !== undefined) await api.send('PATCH', `${path}/${id}`, reached)
    else await api.send('POST', path, { ...reached, transport: 'api-ssl', tags: [serial], agent: !moved.has(serial) })
  }
  const devices = new Map<string, string>()
  await until(
    async () => {
      const usable = new Set((await allDevices(api)).filter(isUsable).map(({ id }) => id))
      for (const { tags, deviceId } of await rows())
        if (deviceId !== undefined && usable.has(deviceId)) devices.set(tags[0] ?? '', deviceId)
      return routers.every(({ serial }) => devices.has(serial))
    },
    'not all routers became devices',
    stopping,
  )
  return devices
}

/** Changes the name of a router by its TR-181 path; returns a line with what the router was and is called. */
export async function renamed(api: ApiClient, deviceId: string): Promise<string> {
  const path = `/devices/${encodeURIComponent(deviceId)}/operations?wait=30s`
  const ask = (request: object) =>
    api.send<{ state: string; result?: { results: { value?: string }[] } }>('POST', path, request)
  const named = async () => (await ask({ verb: 'get', paths: [HOST_NAME] })).result?.results[0]?.value
  const before = await named()
  const { state } = await ask({ verb: 'set', values: [{ path: HOST_NAME, value: NEW_NAME }] })
  const after = await named()
  if (state !== 'done' || after !== NEW_NAME)
    throw new AppError('internal', `a Set of ${HOST_NAME} ended as ${state}, and ${deviceId} is called ${after}`)
  return `${HOST_NAME} of one of them: "${before}" -> "${after}"`
}

/** True for a device whose Agent was onboarded, or that waits for a plan at its bridge, or is moved by it. */
function isUsable({ usp, readiness, migration }: DemoDevice): boolean {
  return usp?.onboardedFor !== undefined || readiness?.class === 'READY_BRIDGE' || migration !== undefined
}

async function until(isTrue: () => Promise<boolean>, otherwise: string, stopping: () => boolean): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !stopping() && !(await isTrue()); ) {
    if (Date.now() > end) throw new AppError('timeout', `${otherwise}; see the log`)
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}
