import { CpeLoad, warmDevices } from '../cpe-load.ts'
import { type Floor, startFloor } from '../floor.ts'
import { HttpConnection } from '../http-connection.ts'
import { figure, median, printRow, ratio } from '../print.ts'
import { cpuMs, measure } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

const DEVICES = 32
const SMALL = 100
const LARGE = 5000

interface Run {
  perSecond: number
  serverMs: number | undefined
  databaseMs: number | undefined
  commands: number
}

/**
 * Inform and empty POST of warm devices with nothing to do, under load, for a small and a large tree; against a bare
 * server.
 */
export async function informRow(world: World, seconds: number, rounds: number): Promise<Reach[]> {
  const small = await warmDevices(world, 'S', SMALL, DEVICES)
  const large = await warmDevices(world, 'L', LARGE, DEVICES)
  const response = small[0]?.informResponse ?? ''
  const floor = await startFloor('floor-http', [Buffer.from(response).toString('base64')])
  const floors: (number | undefined)[] = []
  const smalls: Run[] = []
  const larges: Run[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      floors.push(await floorRun(floor, world, seconds))
      smalls.push(await serverRun(world, small, seconds))
      larges.push(await serverRun(world, large, seconds))
    }
  } finally {
    floor.stop()
    for (const device of [...small, ...large]) device.close()
  }
  const base = median(floors)
  const lines = (name: string, runs: Run[]): [string, string, string?][] => {
    const own = median(runs.map((run) => run.serverMs))
    return [
      [`${name}: server CPU`, figure(own, 'ms', 3), ratio(own, base)],
      [`${name}: database CPU`, figure(median(runs.map((run) => run.databaseMs)), 'ms', 3)],
      [`${name}: database commands`, figure(median(runs.map((run) => run.commands)), 'each', 3)],
      [`${name}: sessions`, figure(median(runs.map((run) => run.perSecond)), '/s', 0)],
    ]
  }
  printRow(`Inform session (Inform + empty POST, warm device), per session, median of ${rounds} runs of ${seconds} s`, [
    ['floor: bare node:http, CPU', figure(base, 'ms', 3)],
    ...lines(`${SMALL} parameters`, smalls),
    ...lines(`${LARGE} parameters`, larges),
  ])
  const name = `Inform session of a CPE with ${LARGE} parameters`
  const largeTree = (key: 'serverMs' | 'databaseMs' | 'commands') => median(larges.map((run) => run[key]))
  return [
    { name: `${name}: server CPU`, value: largeTree('serverMs'), unit: 'ms', digits: 3, limit: 0.35, better: 'less' },
    {
      name: `${name}: database CPU`,
      value: largeTree('databaseMs'),
      unit: 'ms',
      digits: 3,
      limit: 0.4,
      better: 'less',
    },
    { name: `${name}: round trips`, value: largeTree('commands'), unit: 'each', digits: 2, limit: 1, better: 'less' },
  ]
}

async function serverRun(world: World, devices: CpeLoad[], seconds: number): Promise<Run> {
  const before = await world.databaseCommands()
  const run = await measure(world.pids, async () => {
    const end = performance.now() + seconds * 1000
    const counts = await Promise.all(
      devices.map(async (device) => {
        let sessions = 0
        for (; performance.now() < end; sessions++) await device.session()
        return sessions
      }),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  })
  // Scraping the metrics costs no command of its own.
  const commands = (await world.databaseCommands()) - before
  const each = (total: number | undefined) => (total === undefined ? undefined : total / run.value)
  return {
    perSecond: (run.value * 1000) / run.wallMs,
    serverMs: each(run.cpu.server),
    databaseMs: each(run.cpu.database),
    commands: commands / run.value,
  }
}

/** The same bytes to a server that answers without reading them; CPU per session in milliseconds. */
async function floorRun(floor: Floor, world: World, seconds: number): Promise<number | undefined> {
  const probe = new CpeLoad(world.cwmpPort, 'FLOOR', world.enrolmentSecret, 1)
  const [inform, empty] = probe.sessionBytes()
  probe.close()
  const connections = Array.from({ length: DEVICES }, () => new HttpConnection(floor.port))
  const before = cpuMs(floor.pid)
  const end = performance.now() + seconds * 1000
  const counts = await Promise.all(
    connections.map(async (connection) => {
      let sessions = 0
      for (; performance.now() < end; sessions++) {
        await connection.send(inform)
        await connection.send(empty)
      }
      connection.close()
      return sessions
    }),
  )
  const after = cpuMs(floor.pid)
  if (before === undefined || after === undefined) return undefined
  return (after - before) / counts.reduce((sum, count) => sum + count, 0)
}
