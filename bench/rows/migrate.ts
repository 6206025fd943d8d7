import { openSync } from 'node:fs'
import { resolve } from 'node:path'
import { startChild } from '../../src/demo/child.ts'
import { figure, printRow } from '../print.ts'
import { measure } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

interface Status {
  state: string
  migrated: number
  total: number
}

/** The server is left alone for so long before, to see what it asks the database when nothing happens. */
const REST_MS = 5000
/** Each look at the plan is two reads of the database, which count. */
const LOOK_MS = 1000

/**
 * Devices moved from CWMP to USP per second with pacing off: every step of the machine, on real sockets, no soak time.
 */
export async function migrateRow(world: World, moves: number): Promise<Reach[]> {
  // Two fifths of a fleet have both protocols.
  const devices = Math.ceil((moves * 5) / 2)
  const fleet = await startChild({
    name: 'simulator',
    script: resolve(import.meta.dirname, '../../src/cli/main.js'),
    args: [
      ...['simulate', '--devices', String(devices), '--fault-every', '0', '--time-scale', '10'],
      ...['--acs-url', `http://127.0.0.1:${world.cwmpPort}/`, '--enrolment-secret', world.enrolmentSecret],
      ...['--endpoint-id', world.endpointId, '--usp-host', '127.0.0.1', '--usp-port', String(world.uspPort)],
    ],
    readyTimeoutMs: 60_000,
    logFd: openSync('/dev/null', 'w'),
  })
  try {
    const filter = 'manufacturer==Northbridge'
    // The first discovery of the fleet is no part of a migration; `discoveredFor` is empty until it has ended.
    await until(async () => {
      const { items } = await world.api.get<{ items: { cwmp?: { discoveredFor?: string } }[] }>(
        '/devices?limit=1000&fields=cwmp',
      )
      return items.length >= devices && items.every(({ cwmp }) => cwmp === undefined || Boolean(cwmp.discoveredFor))
    })
    const group = await world.api.send<{ id: string }>('POST', '/groups', { name: 'bench', selector: filter })
    const settings = { soakMs: 0, maxInFlight: 1000, startsPerMinute: 0 }
    const plan = await world.api.send<{ id: string }>('POST', '/plans', { name: 'bench', groupId: group.id, settings })
    const atRest = await world.databaseCommands()
    const rest = await measure(world.pids, () => pause(REST_MS))
    const before = await world.databaseCommands()
    const namesBefore = await world.commandsByName()
    const { value, wallMs, cpu } = await measure(world.pids, async () => {
      await world.api.send('POST', `/plans/${plan.id}/actions/start`)
      let status: Status | undefined
      await until(async () => {
        status = await world.api.get<Status>(`/plans/${plan.id}/status`)
        return status.state === 'finished'
      }, LOOK_MS)
      return status?.migrated ?? 0
    })
    const names = await world.commandsByName()
    const commands = (await world.databaseCommands()) - before
    const each = (total: number | undefined) => (total === undefined ? undefined : total / value)
    const perSecond = (total: number | undefined) => (total === undefined ? undefined : total / (REST_MS / 1000))
    const seconds = (wallMs / 1000).toFixed(0)
    printRow(`Migration of ${value} devices, pacing off, simulators and database on the same cores`, [
      ['migrated', figure((value * 1000) / wallMs, '/s', 1)],
      ['server CPU', figure(each(cpu.server), 'ms', 1), 'per device'],
      ['database CPU', figure(each(cpu.database), 'ms', 1), 'per device'],
      ['database commands', figure(commands / value, 'each', 0), 'per device'],
      ['by name', '', byName(names, namesBefore, value)],
      ['commands at rest', figure((before - atRest) / (REST_MS / 1000), '/s', 1), 'whatever migrates'],
      ['server CPU at rest', figure(perSecond(rest.cpu.server), 'ms/s', 1), `of ${seconds} s in the row`],
      ['database CPU at rest', figure(perSecond(rest.cpu.database), 'ms/s', 1)],
    ])
    const reach = (name: string, reached: number | undefined, unit: string, limit: number): Reach => ({
      name,
      value: reached,
      unit,
      digits: 0,
      limit,
      better: 'less',
    })
    return [
      reach('database commands of a migration', commands / value, 'each', 40),
      reach('database CPU of a migration', each(cpu.database), 'ms', 29),
      reach('server CPU of a migration', each(cpu.server), 'ms', 43),
    ]
  } finally {
    await fleet.stop()
  }
}

/** Commands of one device by their name, the most frequent first. */
function byName(names: Map<string, number>, before: Map<string, number>, devices: number): string {
  return [...names]
    .map(([name, count]) => ({ name, each: (count - (before.get(name) ?? 0)) / devices }))
    .filter(({ each }) => each >= 0.1)
    .sort((a, b) => b.each - a.each)
    .map(({ name, each }) => `${name} ${each.toFixed(1)}`)
    .join(', ')
}

async function until(condition: () => Promise<boolean>, lookMs = 250): Promise<void> {
  const end = Date.now() + 300_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('not reached within 300 s')
    await pause(lookMs)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
