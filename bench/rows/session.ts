import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'
import { deviceIdOf } from '../../src/domain/index.ts'
import { type CpeLoad, warmDevices } from '../cpe-load.ts'
import { openBeside } from '../fill.ts'
import { startFloor } from '../floor.ts'
import { figure, median, printRow, ratio } from '../print.ts'
import { cpuMs, measure } from '../process-cpu.ts'
import { PARTS, type Shares } from '../profile.ts'
import type { Reach } from '../reach.ts'
import type { LoadedDevice, LoadOrder, LoadReport } from '../session-load.ts'
import type { World } from '../world.ts'

const DEVICES = 64
const SMALL = 100
/** Sessions before anything is measured: by then the server runs compiled code. */
const WARM_UP = 4000
/** Parameters of one commit while trees are made larger. */
const PART = 500
const FEW = 2
const MANY = 48
/** Parameters of the trees, and about how large these are in the record. */
const TREES = [
  { parameters: SMALL, size: '10 KB' },
  { parameters: 5000, size: '500 KB' },
]
const GOALS = {
  [FEW]: { serverMs: 0.6, databaseMs: 0.4 },
  [MANY]: { serverMs: 0.35, databaseMs: 0.15 },
}
const GOAL_PER_SECOND = 3400

type Parallel = keyof typeof GOALS

interface Run {
  perSecond: number
  serverMs: number | undefined
  databaseMs: number | undefined
  loadMs: number | undefined
  commands: number
  p50Ms: number
  p99Ms: number
}

interface Kind {
  name: string
  parallel: Parallel
  size: string
  devices: LoadedDevice[]
  runs: Run[]
}

/**
 * Sessions as CPE make them: each over a new connection, with a Digest challenge and three requests, of devices with
 * nothing to do; a small and a large tree, few and many at a time. The load is a process of its own.
 */
export async function sessionRow(world: World, seconds: number, rounds: number): Promise<Reach[]> {
  const load = fork(resolve(import.meta.dirname, '../session-load.js'), { stdio: 'inherit' })
  const kinds: Kind[] = []
  let response = ''
  for (const { parameters, size } of TREES) {
    const devices = await warmDevices(world, `N${parameters}x`, SMALL, DEVICES)
    await enlarge(world, devices, parameters - SMALL)
    response = devices[0]?.informResponse ?? ''
    const loaded = devices.map((device) => device.loaded)
    for (const device of devices) device.close()
    for (const parallel of [FEW, MANY] as const)
      kinds.push({ name: `${parallel} at a time, tree of ${size}`, parallel, size, devices: loaded, runs: [] })
  }
  const floor = await startFloor('floor-session', [Buffer.from(response).toString('base64')])
  const floors = new Map<Parallel, (number | undefined)[]>([
    [FEW, []],
    [MANY, []],
  ])
  const shares = new Map<Parallel, Shares>()
  try {
    await order(load, world.cwmpPort, kinds[0]?.devices ?? [], MANY, 0, WARM_UP)
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) kind.runs.push(await serverRun(world, load, kind, seconds))
      for (const [parallel, runs] of floors)
        runs.push(await floorRun(floor, load, kinds[0]?.devices ?? [], parallel, seconds))
    }
    for (const { parallel, devices, size } of kinds)
      if (size === TREES[0]?.size)
        shares.set(parallel, await world.shares(() => order(load, world.cwmpPort, devices, parallel, seconds * 1000)))
  } finally {
    floor.stop()
    load.kill('SIGTERM')
  }
  for (const parallel of [FEW, MANY] as const) {
    const base = median(floors.get(parallel) ?? [])
    printRow(
      `Sessions over new connections, ${parallel} at a time, per session, median of ${rounds} runs of ${seconds} s`,
      [
        ['floor: bare node:http, CPU', figure(base, 'ms', 3)],
        ...kinds.filter((kind) => kind.parallel === parallel).flatMap((kind) => lines(kind, base)),
        ...PARTS.map((part): [string, string] => [
          `share of ${part}`,
          figure((shares.get(parallel)?.[part] ?? Number.NaN) * 100, '%', 1),
        ]),
      ],
    )
  }
  return kinds.flatMap(reachesOf)
}

function lines({ size, runs }: Kind, base: number | undefined): [string, string, string?][] {
  const of = (key: keyof Run) => median(runs.map((run) => run[key]))
  return [
    [`tree of ${size}: server CPU`, figure(of('serverMs'), 'ms', 3), ratio(of('serverMs'), base)],
    [`tree of ${size}: database CPU`, figure(of('databaseMs'), 'ms', 3)],
    [`tree of ${size}: CPU of the load`, figure(of('loadMs'), 'ms', 3)],
    [`tree of ${size}: database commands`, figure(of('commands'), 'each', 3)],
    [`tree of ${size}: sessions`, figure(of('perSecond'), '/s', 0)],
    [`tree of ${size}: p50 and p99`, `${figure(of('p50Ms'), 'ms', 1)}, ${figure(of('p99Ms'), 'ms', 1)}`],
  ]
}

function reachesOf({ name, parallel, runs }: Kind): Reach[] {
  const of = (key: keyof Run) => median(runs.map((run) => run[key]))
  const { serverMs, databaseMs } = GOALS[parallel]
  const less = { unit: 'ms', digits: 3, better: 'less' } as const
  const reaches: Reach[] = [
    { name: `Session, ${name}: server CPU`, value: of('serverMs'), limit: serverMs, ...less },
    { name: `Session, ${name}: database CPU`, value: of('databaseMs'), limit: databaseMs, ...less },
  ]
  if (parallel === MANY)
    reaches.push({
      name: `Session, ${name}: per second`,
      value: of('perSecond'),
      limit: GOAL_PER_SECOND,
      unit: '/s',
      digits: 0,
      better: 'more',
    })
  return reaches
}

/** Adds so many parameters to the tree of each device, straight in the store. */
async function enlarge(world: World, devices: CpeLoad[], parameters: number): Promise<void> {
  if (parameters <= 0) return
  const store = await openBeside(world)
  try {
    for (const { loaded } of devices) {
      const deviceId = deviceIdOf({ oui: '00256D', productClass: 'Bench', serial: loaded.serial })
      for (let at = 0; at < parameters; at += PART) {
        const writes = Array.from({ length: Math.min(PART, parameters - at) }, (_, i) => ({
          path: `Device.X_BENCH.Large.${1 + ((at + i) >> 4)}.Value${i & 15}`,
          value: 'value',
          type: 'string' as const,
          source: 'cwmp' as const,
          collectedAt: 0,
        }))
        await store.devices.commit({ deviceId, parameters: writes })
      }
    }
  } finally {
    await store.close()
  }
}

function order(load: ChildProcess, port: number, devices: LoadedDevice[], parallel: number, ms: number, atLeast = 0) {
  return new Promise<LoadReport>((resolve, reject) => {
    load.once('message', (report: LoadReport | { error: string }) =>
      'error' in report ? reject(new Error(report.error)) : resolve(report),
    )
    const message: LoadOrder = { port, devices, parallel, ms, atLeast }
    load.send(message)
  })
}

async function serverRun(world: World, load: ChildProcess, kind: Kind, seconds: number): Promise<Run> {
  const before = await world.databaseCommands()
  const run = await measure({ ...world.pids, load: load.pid }, () =>
    order(load, world.cwmpPort, kind.devices, kind.parallel, seconds * 1000),
  )
  const commands = (await world.databaseCommands()) - before
  const { sessions, p50Ms, p99Ms } = run.value
  const each = (total: number | undefined) => (total === undefined ? undefined : total / sessions)
  return {
    perSecond: (sessions * 1000) / run.wallMs,
    serverMs: each(run.cpu.server),
    databaseMs: each(run.cpu.database),
    loadMs: each(run.cpu.load),
    commands: commands / sessions,
    p50Ms,
    p99Ms,
  }
}

/** The same to a server that answers without reading; CPU per session in milliseconds. */
async function floorRun(
  floor: { port: number; pid: number },
  load: ChildProcess,
  devices: LoadedDevice[],
  parallel: Parallel,
  seconds: number,
): Promise<number | undefined> {
  const before = cpuMs(floor.pid)
  const { sessions } = await order(load, floor.port, devices, parallel, seconds * 1000)
  const after = cpuMs(floor.pid)
  return before === undefined || after === undefined ? undefined : (after - before) / sessions
}
