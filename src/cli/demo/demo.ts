import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, createIdSource, systemClock, systemRandom } from '../../base/index.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import { type Child, startChild } from './child.ts'
import { expectationOf, misplaced, type SimulatedSummary } from './expectations.ts'
import { DemoFolder } from './folder.ts'
import { type GroupRow, renderLine, renderTable } from './table.ts'

interface Page<T> {
  items: T[]
  next?: string
}
interface GroupMigration {
  devices: number
  protocols: { cwmp: number; usp: number }
  plan?: {
    planId: string
    state: string
    states: Record<string, number>
    rate: { lastMinute: number }
    failures: { state: string; text: string; count: number }[]
    next: string
  }
}
interface DemoDevice {
  id: string
  owner: string
  migration?: { state: string }
  cwmp?: { discoveredFor?: string }
  usp?: { onboardedFor?: string }
}

const GROUPS = [
  {
    name: 'gateways',
    description: 'TR-181 boxes; the group that moves',
    selector: 'manufacturer==Northbridge,manufacturer=="Marsh Networks"',
  },
  { name: 'legacy', description: 'TR-098 boxes that stay on CWMP', selector: 'manufacturer==Oldham' },
  { name: 'usp-only', description: 'boxes delivered with USP', selector: 'manufacturer==Kestrel' },
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
const ONCE_TIMEOUT_MS = 900_000
/** More boxes may take longer, each by so much. */
const PER_BOX_MS = 1500

/** Server, fleet and a migration on this machine, shown live; everything survives Ctrl-C and goes on at the next start. */
export async function runDemo(flags: { devices?: string; once?: boolean; dataDir: string }): Promise<void> {
  const folder = new DemoFolder(flags.dataDir)
  const devices = folder.devices(flags.devices)
  await folder.take(console.log)
  const logFd = openSync(join(flags.dataDir, 'demo.log'), 'a')
  const children: Child[] = []
  let stopping = false
  const stop = async () => {
    stopping = true
    for (const child of children.reverse()) await child.stop()
    folder.leave()
  }
  const stopAndLeave = () => {
    if (stopping) return
    console.log('\nstopping; start again to go on where it stands')
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stopAndLeave)
  process.on('SIGTERM', stopAndLeave)
  let failed: unknown
  let exitCode = 0
  try {
    exitCode = await play(folder, devices, flags.once === true, logFd, children, () => stopping)
  } catch (error) {
    failed = error
  }
  if (stopping) return
  await stop()
  if (failed !== undefined) throw failed
  process.exit(exitCode)
}

async function play(
  folder: DemoFolder,
  devices: number,
  onlyOnce: boolean,
  logFd: number,
  children: Child[],
  stopping: () => boolean,
): Promise<number> {
  console.log('starting the server and its database')
  const key = folder.key(systemRandom, createIdSource(systemClock, systemRandom))
  const server = await startServerChild(folder, key, logFd)
  children.push(server)
  const { apiPort, cwmpPort, uspPort } = server.ready as { apiPort: number; cwmpPort: number; uspPort: number }
  const base = `http://127.0.0.1:${apiPort}`
  const api = createApiClient(`${base}/api/v1`, key)
  console.log(`API and its description  ${base}/api/v1/docs/#key=${key}`)
  console.log(`API key                  ${key}`)
  console.log(
    `CWMP http://127.0.0.1:${cwmpPort}/   USP ws://127.0.0.1:${uspPort}/usp   log ${join(folder.dir, 'demo.log')}\n`,
  )
  const fleet = await startFleetChild(folder, devices, server.ready, logFd)
  children.push(fleet)
  const ended = Promise.race(children.map(untilEnded))
  const shown = show(api, fleet, apiPort, onlyOnce, stopping).catch(async (error: unknown) => {
    // A call that failed because the server is gone says less than its end does.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))])
    throw error
  })
  return Promise.race([ended, shown])
}

/** Rejects when a part ends that nobody asked to. */
async function untilEnded({ name, process: child }: Child): Promise<never> {
  const [code, signal] = await once(child, 'exit')
  throw new AppError(
    'unavailable',
    `the ${name} ended (${signal ?? `exit ${code}`}); see the log. A new start goes on from here`,
  )
}

async function show(
  api: ApiClient,
  fleet: Child,
  apiPort: number,
  onlyOnce: boolean,
  stopping: () => boolean,
): Promise<number> {
  const boxes = fleet.ready.devices as SimulatedSummary[]
  const groupIds = await ensureGroups(api)
  await untilRegistered(api, boxes.length, stopping)
  // A plan takes the boxes that are there when it starts: not while some are still to come.
  if (stopping()) return 0
  const planId = await ensurePlan(api, groupIds.get('gateways') ?? '')
  // For a program that runs the demo: the walk of docs/quickstart.md can begin.
  process.send?.({ type: 'ready', apiPort })
  return watch(api, groupIds, planId, boxes, onlyOnce, stopping)
}

function script(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))
}

async function startServerChild(folder: DemoFolder, key: string, logFd: number): Promise<Child> {
  // The same ports at the next start: the boxes keep the addresses they were given.
  const { apiPort = 0, cwmpPort = 0, uspPort = 0 } = folder.ports ?? {}
  const args = [
    'serve',
    '--data-dir',
    folder.dir,
    '--host',
    '127.0.0.1',
    '--api-port',
    String(apiPort),
    '--cwmp-port',
    String(cwmpPort),
    '--usp-port',
    String(uspPort),
  ]
  args.push(
    '--agent-admission',
    'open',
    '--discovery',
    'subtree',
    '--inform-interval',
    '300',
    '--periodic-notif-interval',
    '60',
  )
  const child = await startChild({
    name: 'server',
    script: script(),
    args,
    env: { ISTHMUS_FIRST_API_KEY: key },
    readyTimeoutMs: 180_000,
    logFd,
    logFile: join(folder.dir, 'demo.log'),
    onStarted: (pid) => folder.runs(pid),
  })
  const ready = child.ready as { apiPort: number; cwmpPort: number; uspPort: number }
  folder.keepPorts({ apiPort: ready.apiPort, cwmpPort: ready.cwmpPort, uspPort: ready.uspPort })
  return child
}

function startFleetChild(
  folder: DemoFolder,
  devices: number,
  server: Record<string, unknown>,
  logFd: number,
): Promise<Child> {
  const args = [
    'simulate',
    '--acs-url',
    `http://127.0.0.1:${server.cwmpPort}/`,
    '--enrolment-secret',
    String(server.enrolmentSecret),
  ]
  args.push(
    '--usp-port',
    String(server.uspPort),
    '--endpoint-id',
    String(server.endpointId),
    '--devices',
    String(devices),
    '--state-dir',
    join(folder.dir, 'fleet'),
  )
  return startChild({
    name: 'fleet',
    script: script(),
    args,
    readyTimeoutMs: 60_000,
    logFd,
    logFile: join(folder.dir, 'demo.log'),
    onStarted: (pid) => folder.runs(pid),
  })
}

async function ensureGroups(api: ApiClient): Promise<Map<string, string>> {
  const { items } = await api.get<Page<{ id: string; name: string }>>('/groups?limit=1000')
  const ids = new Map(items.map((group) => [group.name, group.id]))
  for (const group of GROUPS) {
    if (!ids.has(group.name)) ids.set(group.name, (await api.send<{ id: string }>('POST', '/groups', group)).id)
  }
  return ids
}

async function allDevices(api: ApiClient): Promise<DemoDevice[]> {
  const devices: DemoDevice[] = []
  let cursor = ''
  do {
    const page = await api.get<Page<DemoDevice>>(
      `/devices?limit=1000&fields=owner,migration,cwmp,usp${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    devices.push(...page.items)
    cursor = page.next ?? ''
  } while (cursor !== '')
  return devices
}

/** Every box has come, and has shown what it is. */
async function untilRegistered(api: ApiClient, expected: number, stopping: () => boolean): Promise<void> {
  const begun = Date.now()
  for (let shown = ''; !stopping(); ) {
    const devices = await allDevices(api)
    const known = devices.filter(
      (device) => device.usp?.onboardedFor !== undefined || (device.cwmp?.discoveredFor ?? '') !== '',
    ).length
    const line = `${devices.length} of ${expected} boxes registered, ${known} read`
    if (line !== shown) console.log(line)
    shown = line
    if (known >= expected) return
    if (Date.now() - begun > REGISTER_TIMEOUT_MS + expected * PER_BOX_MS)
      throw new AppError('timeout', `only ${known} of ${expected} boxes came; see the log`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function ensurePlan(api: ApiClient, groupId: string): Promise<string> {
  const { items } = await api.get<Page<{ id: string; groupId: string; state: string }>>('/plans')
  const present = items.find((plan) => plan.groupId === groupId)
  if (present !== undefined && present.state !== 'draft') return present.id
  const id =
    present?.id ??
    (await api.send<{ id: string }>('POST', '/plans', { name: 'gateways to USP', groupId, settings: PLAN_SETTINGS })).id
  await api.send('POST', `/plans/${id}/actions/start`)
  return id
}

async function readRows(api: ApiClient, groupIds: Map<string, string>): Promise<{ rows: GroupRow[]; state: string }> {
  let state = ''
  const rows: GroupRow[] = []
  for (const [name, id] of groupIds) {
    const status = await api.get<GroupMigration>(`/groups/${id}/migration`)
    const row: GroupRow = {
      name,
      devices: status.devices,
      cwmp: status.protocols.cwmp,
      usp: status.protocols.usp,
      states: status.plan?.states ?? {},
      failures: [],
    }
    if (status.plan !== undefined) {
      state = status.plan.state
      row.ratePerMinute = status.plan.rate.lastMinute
      row.failures = status.plan.failures.map((failure) => ({
        reason: `${failure.state}: ${failure.text}`,
        count: failure.count,
      }))
      row.next = `${status.plan.next} (plan is ${status.plan.state})`
    }
    rows.push(row)
  }
  return { rows, state }
}

async function watch(
  api: ApiClient,
  groupIds: Map<string, string>,
  planId: string,
  boxes: SimulatedSummary[],
  onlyOnce: boolean,
  stopping: () => boolean,
): Promise<number> {
  const live = process.stdout.isTTY === true
  const begun = Date.now()
  let drawn = 0
  let last = ''
  let reported = false
  while (!stopping()) {
    const { rows, state } = await readRows(api, groupIds)
    if (live) {
      const lines = renderTable(rows, process.stdout.columns ?? 100)
      const text = lines.join('\n')
      // The same table is not drawn again below the report.
      if (text !== last) {
        process.stdout.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${text}\n`)
        drawn = lines.length
        last = text
      }
    } else {
      const line = renderLine(rows)
      if (line !== last) console.log(`${Math.round((Date.now() - begun) / 1000)} s  ${line}`)
      last = line
    }
    if (state === 'finished' && !reported) {
      reported = true
      drawn = 0
      const code = await report(api, rows, boxes, live)
      if (onlyOnce) return code
      console.log('\nThe server and the fleet go on; Ctrl-C stops them, and the next start goes on from here.')
    }
    if (
      onlyOnce &&
      (/^(paused|aborted)$/.test(state) || Date.now() - begun > ONCE_TIMEOUT_MS + boxes.length * PER_BOX_MS)
    ) {
      console.error(`the plan is ${state} and not finished`)
      await report(api, rows, boxes, live)
      return 1
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  return planId === '' ? 1 : 0
}

/** Why some devices have not moved although all is well. */
function staying(boxes: SimulatedSummary[]): string {
  const stay = boxes.filter((box) => box.kind === 'dualStack' && expectationOf(box).owner === 'cwmp').length
  return stay === 0 ? '' : `${stay} have a scripted fault that no retry mends; they stay on CWMP and work.`
}

/** Prints the end of the migration; 0 when every device is where it should be, else 1. */
async function report(api: ApiClient, rows: GroupRow[], boxes: SimulatedSummary[], live: boolean): Promise<number> {
  if (!live) console.log(renderTable(rows, 140).join('\n'))
  const devices = new Map(
    (await allDevices(api)).map((device) => [device.id, { owner: device.owner, state: device.migration?.state }]),
  )
  const wrong = misplaced(boxes, devices)
  for (const line of wrong.slice(0, 20)) console.error(line)
  console.log(
    wrong.length === 0
      ? `\nFinished: every one of ${boxes.length} devices is where it should be. ${staying(boxes)}`
      : `\nFinished, but ${wrong.length} devices are not where they should be.`,
  )
  return wrong.length === 0 ? 0 : 1
}
