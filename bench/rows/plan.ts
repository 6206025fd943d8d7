import { systemClock } from '../../src/base/index.ts'
import { versionKey } from '../../src/datamodel/index.ts'
import { type Device, type DeviceChange, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { fill, openBeside } from '../fill.ts'
import { figure, printRow } from '../print.ts'
import { measure } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

interface Status {
  state: string
  total: number
  states: Record<string, number>
  next: string
}

const DAY_MS = 86_400_000
/** One device of so many is heard of; the others have been away for days. */
const PRESENT = 20
const CALLS = 40
const IDLE_MS = 15_000
const LIMIT_MS = 1_200_000

/**
 * A plan over so many devices, most of which are away: how long it takes to make members of them and to cancel them,
 * and what it costs to wait.
 */
export async function planRow(world: World, devices: number): Promise<Reach[]> {
  const store = await openBeside(world)
  try {
    await fill(store, devices, device)
  } finally {
    await store.close()
  }
  const before = await cost(world, () => pause(IDLE_MS))
  const group = await world.api.send<{ id: string }>('POST', '/groups', {
    name: 'all',
    selector: 'manufacturer==Bench',
  })
  const settings = { startsPerMinute: 1, maxInFlight: 10 }
  const plan = await world.api.send<{ id: string }>('POST', '/plans', { name: 'all', groupId: group.id, settings })
  const status = () => world.api.get<Status>(`/plans/${plan.id}/status`)
  const act = (action: string) => world.api.send('POST', `/plans/${plan.id}/actions/${action}`)

  const enrolled = await cost(world, async () => {
    await act('start')
    await until(async () => {
      const { total, states, next } = await status()
      return total === devices && (states.UNASSESSED ?? 0) === 0 && !next.includes('enrolled')
    })
  })
  const statusMs = await times(status)
  const groupMs = await times(() => world.api.get(`/groups/${group.id}/migration`))
  const membersMs = await times(() => world.api.get(`/plans/${plan.id}/members?waiting=offline&limit=100`))
  const readinessMs = await times(() => world.api.get(`/groups/${group.id}/readiness`))
  const idle = await cost(world, () => pause(IDLE_MS))
  const aborted = await cost(world, async () => {
    await act('abort')
    await until(async () => (await status()).state === 'aborted')
  })
  const each = (total: number) => figure(total / devices, 'each', 2)
  const seconds = (ms: number | undefined) => figure(ms === undefined ? undefined : ms / 1000, 's', 1)
  const perSecond = IDLE_MS / 1000
  const cpu = ({ server, database }: Cost) => `CPU: server ${seconds(server)}, database ${seconds(database)}`
  printRow(`A plan over ${devices} devices, 1 of ${PRESENT} present`, [
    ['enrolled and assessed', seconds(enrolled.wallMs), cpu(enrolled)],
    ['database commands', each(enrolled.commands), 'per member'],
    ['status of the plan', figure(statusMs.p50, 'ms', 1), `p95 ${figure(statusMs.p95, 'ms', 1)}`],
    ['status of the group', figure(groupMs.p50, 'ms', 1), `p95 ${figure(groupMs.p95, 'ms', 1)}`],
    ['readiness of the group', figure(readinessMs.p50, 'ms', 1), `p95 ${figure(readinessMs.p95, 'ms', 1)}`],
    ['100 members that are offline', figure(membersMs.p50, 'ms', 1), `p95 ${figure(membersMs.p95, 'ms', 1)}`],
    ['before the plan: database commands', figure(before.commands / perSecond, '/s', 1), cpu(before)],
    ['while all wait: database commands', figure(idle.commands / perSecond, '/s', 1), cpu(idle)],
    ['aborted', seconds(aborted.wallMs), cpu(aborted)],
    ['database commands', each(aborted.commands), 'per member'],
  ])
  const reach = (name: string, value: number, unit: string, limit: number): Reach => ({
    name,
    value,
    unit,
    digits: 1,
    limit,
    better: 'less',
  })
  return [
    reach(`${devices} devices enrolled and assessed`, enrolled.wallMs / 1000, 's', 300),
    reach(`${devices} devices aborted`, aborted.wallMs / 1000, 's', 180),
    reach('status of a plan, p95', statusMs.p95, 'ms', 50),
    reach('status of a group, p95', groupMs.p95, 'ms', 50),
  ]
}

interface Cost {
  wallMs: number
  commands: number
  server: number | undefined
  database: number | undefined
}

async function cost(world: World, work: () => Promise<void>): Promise<Cost> {
  const before = await world.databaseCommands()
  const { wallMs, cpu } = await measure(world.pids, work)
  return {
    wallMs,
    commands: (await world.databaseCommands()) - before,
    server: cpu.server,
    database: cpu.database,
  }
}

/**
 * The middle and the slow end of so many calls, one after the other, of something that is looked at again and again.
 */
async function times(call: () => Promise<unknown>): Promise<{ p50: number; p95: number }> {
  const taken: number[] = []
  // The first one counts what later ones find counted.
  await call()
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now()
    await call()
    taken.push(performance.now() - start)
  }
  taken.sort((a, b) => a - b)
  const at = (share: number) => taken[Math.min(CALLS - 1, Math.floor(CALLS * share))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95) }
}

/**
 * One of ten has the old root; the others have an Agent. No request gets an answer: the plan is measured, not
 * the devices.
 */
function device(n: number): DeviceChange[] {
  const identity = { oui: '00256D', productClass: 'Plan', serial: `PLAN${String(n).padStart(7, '0')}` }
  const id = deviceIdOf(identity)
  const now = systemClock.now()
  const softwareVersion = `1.${n % 16}.0`
  const old = n % 10 === 9
  const create: Device = {
    ...newDevice(id, identity, 'cwmp', now),
    manufacturer: 'Bench',
    root: old ? 'InternetGatewayDevice.' : 'Device.',
    model: `M${n % 20}`,
    softwareVersion,
    softwareVersionKey: versionKey(softwareVersion),
    cwmp: {
      lastInformAt: n % PRESENT === 0 ? now : now - 2 * DAY_MS,
      events: ['2 PERIODIC'],
      version: '1.4',
      informIntervalS: 3600,
      discoveredFor: softwareVersion,
    },
  }
  const at = { type: 'string', source: 'cwmp', collectedAt: now } as const
  const agent = { path: 'Device.USPAgent.EndpointID', value: `os::00256D-${identity.serial}`, ...at }
  const made: DeviceChange = { deviceId: id, create }
  return old ? [made] : [{ ...made, parameters: [agent] }]
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not reached within ${LIMIT_MS / 1000} s`)
    await pause(500)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
