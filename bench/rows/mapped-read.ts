import { deviceIdOf } from '../../src/domain/index.ts'
import { type CpeLoad, warmDevices } from '../cpe-load.ts'
import { gatewayTree, MAPPED_TABLES, OWN_TABLES } from '../gateway-tree.ts'
import { figure, median, printRow, ratio } from '../print.ts'
import { measure } from '../process-cpu.ts'
import { PARTS, type Shares } from '../profile.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'

const DEVICES = 8
/** Values of one read; hosts and port mappings of the tree have so many. */
const PARAMETERS = 1000
const HOSTS = 40
const PORT_MAPPINGS = 80
/** Paths of one request: as many as the API takes (`REQUEST_BOUNDS`). */
const PATHS = 250
/** Reads of each device before anything is measured, and in one run. */
const WARM_UP = 6
const READS = 4
const GOAL = 1.3

interface Kind {
  name: string
  /** The requests of one read: paths of each. */
  own: string[][]
  mapped: string[][]
  runs: { own: Run; mapped: Run }[]
}

interface Run {
  serverMs: number | undefined
  databaseMs: number | undefined
}

/**
 * The same 1,000 values of a gateway of TR-098, read by its own paths and by those of TR-181 in turns: tables as a whole,
 * and parameters by their names. A read is a session of the CPE, with the requests to the API before it.
 */
export async function mappedReadRow(world: World, rounds: number): Promise<Reach[]> {
  const devices = await warmDevices(world, 'G', gatewayTree(HOSTS, PORT_MAPPINGS), DEVICES)
  const [own, mapped] = await named(world, devices[0]?.loaded.serial ?? '')
  const kinds: Kind[] = [
    { name: 'tables', own: [OWN_TABLES], mapped: [MAPPED_TABLES], runs: [] },
    { name: 'names', own, mapped, runs: [] },
  ]
  const shares = new Map<string, Shares>()
  try {
    for (const kind of kinds)
      for (const requests of [kind.own, kind.mapped]) await read(world, devices, requests, WARM_UP)
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds)
        kind.runs.push({ own: await run(world, devices, kind.own), mapped: await run(world, devices, kind.mapped) })
    for (const { name, mapped } of kinds)
      shares.set(name, await world.shares(() => read(world, devices, mapped, READS)))
  } finally {
    for (const device of devices) device.close()
  }
  return kinds.map((kind) => report(kind, rounds, shares.get(kind.name)))
}

function report({ name, runs }: Kind, rounds: number, shares: Shares | undefined): Reach {
  const of = (side: 'own' | 'mapped', key: keyof Run) => median(runs.map((run) => run[side][key]))
  const times = median(
    runs.map(({ own, mapped }) =>
      own.serverMs === undefined || mapped.serverMs === undefined ? undefined : mapped.serverMs / own.serverMs,
    ),
  )
  printRow(`Read of ${PARAMETERS} values of TR-098 (${name}), median of ${rounds} runs of ${DEVICES * READS}`, [
    ['by own paths: server CPU', figure(of('own', 'serverMs'), 'ms')],
    ['by own paths: database CPU', figure(of('own', 'databaseMs'), 'ms')],
    ['by TR-181 paths: server CPU', figure(of('mapped', 'serverMs'), 'ms'), ratio(times, 1)],
    ['by TR-181 paths: database CPU', figure(of('mapped', 'databaseMs'), 'ms')],
    ...PARTS.map((part): [string, string] => [
      `by TR-181 paths: share of ${part}`,
      figure((shares?.[part] ?? Number.NaN) * 100, '%', 1),
    ]),
  ])
  return {
    name: `Read of ${PARAMETERS} values (${name}): TR-181 paths to own paths, server CPU`,
    value: times,
    unit: 'times',
    digits: 2,
    limit: GOAL,
    better: 'less',
  }
}

/** The names of so many mapped parameters, each with a source of its own, and these sources; in requests. */
async function named(world: World, serial: string): Promise<[own: string[][], mapped: string[][]]> {
  const bySource = new Map<string, string>()
  let cursor: string | undefined
  do {
    const after = cursor === undefined ? '' : `&cursor=${cursor}`
    const page = await world.api.get<{ items: { path: string; from?: { path?: string } }[]; next?: string }>(
      `/devices/${idOf(serial)}/parameters?path=Device.&limit=1000${after}`,
    )
    for (const { path, from } of page.items) if (from?.path !== undefined) bySource.set(from.path, path)
    cursor = page.next
  } while (cursor !== undefined)
  const chosen = [...bySource].slice(0, PARAMETERS)
  if (chosen.length < PARAMETERS) throw new Error(`the gateway has ${chosen.length} mapped values only`)
  return [inRequests(chosen.map(([source]) => source)), inRequests(chosen.map(([, path]) => path))]
}

function inRequests(paths: string[]): string[][] {
  return Array.from({ length: Math.ceil(paths.length / PATHS) }, (_, i) => paths.slice(i * PATHS, (i + 1) * PATHS))
}

function idOf(serial: string): string {
  return encodeURIComponent(deviceIdOf({ oui: '00256D', productClass: 'Bench', serial }))
}

/** CPU of one read of one device. */
async function run(world: World, devices: CpeLoad[], requests: string[][]): Promise<Run> {
  const { cpu } = await measure(world.pids, () => read(world, devices, requests, READS))
  const each = (total: number | undefined) => (total === undefined ? undefined : total / (devices.length * READS))
  return { serverMs: each(cpu.server), databaseMs: each(cpu.database) }
}

/** Reads of all devices, one after the other; throws when one was not answered with all its values. */
async function read(world: World, devices: CpeLoad[], requests: string[][], times: number): Promise<void> {
  for (let i = 0; i < times; i++)
    for (const device of devices) {
      const ids: string[] = []
      for (const paths of requests) {
        const path = `/devices/${idOf(device.loaded.serial)}/operations`
        ids.push((await world.api.send<{ id: string }>('POST', path, { verb: 'get', paths })).id)
      }
      await device.session()
      if (i > 0) continue
      let values = 0
      for (const id of ids) {
        const { state, result } = await world.api.get<{ state: string; result?: { results: { value?: string }[] } }>(
          `/operations/${id}`,
        )
        if (state !== 'done') throw new Error(`a read is ${state} after the session`)
        values += result?.results.filter(({ value }) => value !== undefined).length ?? 0
      }
      if (values < PARAMETERS * 0.95) throw new Error(`a read brought ${values} values`)
    }
}
