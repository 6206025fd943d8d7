import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BareLoad } from '../bare-load.ts'
import { BridgeChild } from '../bridge-child.ts'
import { ControllerLoad } from '../controller-load.ts'
import { HostedRouters } from '../hosted-routers.ts'
import { figure, median, printRow, ratio } from '../print.ts'
import { leastResident } from '../process-cpu.ts'
import type { Reach } from '../reach.ts'
import { cpuAtRest, LOAD_MS, loadRouters, pause, percentile, type RouterTimes } from '../router-load.ts'
import { feedDelays, notifyDelays } from '../signal-delays.ts'
import type { World } from '../world.ts'

/** Routers that pay for what all share. */
const FIRST = 20
const WATCHED = 20
const REST_MS = 20_000
const SETTLE_MS = 15_000
const LINK_LIMIT_MS = 300_000
const READ = ['Device.DeviceInfo.', 'Device.Ethernet.Interface.', 'Device.WiFi.AccessPoint.']

type Sentences = readonly (readonly string[])[]

/** A way to many routers, as measured. */
interface Way extends RouterTimes {
  /** Memory in bytes with the first routers and with all. */
  few: number | undefined
  many: number | undefined
}

interface AloneWay extends Way {
  /** The same without waits between the words of a sentence: the time of the routers themselves. */
  hasty: RouterTimes
}

interface BridgeWay extends Way {
  /** CPU time at rest, in milliseconds. */
  rest: number | undefined
  upMs: number
  signals: number[]
  reading: Sentences
  writing: Sentences
}

/**
 * One bridge with many emulated routers, API and USP over TLS, beside node-routeros alone with the sentences of the same
 * reads and writes: memory of a router, CPU at rest and with one read and one write a minute, times of a Set, and the
 * delay of a signal that falls.
 */
export async function bridgeRow(world: World, count: number): Promise<Reach[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-bridge-'))
  const routers = await HostedRouters.start(count)
  try {
    const bridged = await measureBridge(routers, count, folder)
    const alone = await measureAlone(routers, count, bridged)
    const feed = await feedDelays(world, routers, join(folder, 'feed'))
    return print(count, bridged, alone, feed)
  } finally {
    routers.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureBridge(routers: HostedRouters, count: number, folder: string): Promise<BridgeWay> {
  const controller = await ControllerLoad.start()
  const ca = join(folder, 'controller.pem')
  writeFileSync(ca, controller.certificate)
  const flags = ['--controller-id', controller.endpointId, '--usp-port', String(controller.port), '--usp-ca', ca]
  const bridge = await BridgeChild.start(join(folder, 'bridge'), routers.table(FIRST), flags)
  const ids: string[] = []
  const get = (index: number) => controller.request(ids[index] ?? '', 'get', { param_paths: READ, max_depth: 0 })
  let names = 0
  const set = (index: number) =>
    controller.request(ids[index] ?? '', 'set', {
      allow_partial: false,
      update_objs: [
        {
          obj_path: 'Device.DeviceInfo.',
          param_settings: [{ param: 'HostName', value: `bench-${++names}`, required: true }],
        },
      ],
    })
  /** Waits until so many routers have a link, and reads and writes each new one. */
  const joined = async (wanted: number) => {
    for (const end = Date.now() + LINK_LIMIT_MS; controller.agents.length < wanted; await pause(100))
      if (Date.now() > end) throw new Error(`only ${controller.agents.length} of ${wanted} routers have a link`)
    for (let index = ids.length; index < wanted; index++) {
      ids.push(controller.agents.find((id) => id.endsWith(`-${routers.all[index]?.serial}`)) ?? '')
      await get(index)
      await set(index)
    }
  }
  try {
    await joined(FIRST)
    const few = await leastResident(bridge.pid, SETTLE_MS)
    const begun = performance.now()
    bridge.serve(routers.table(count))
    await joined(count)
    const upMs = performance.now() - begun
    const many = await leastResident(bridge.pid, SETTLE_MS)
    const rest = await cpuAtRest(bridge.pid, REST_MS)
    const reading = await routers.sentencesOf(0, () => get(0))
    const writing = await routers.sentencesOf(0, () => set(0))
    const times = await loadRouters(bridge.pid, count, get, set)
    const signals = await notifyDelays(routers, controller, ids.slice(0, WATCHED))
    return { ...times, few, many, rest, upMs, signals, reading, writing }
  } finally {
    await bridge.stop()
    controller.stop()
  }
}

async function measureAlone(
  routers: HostedRouters,
  count: number,
  { reading, writing }: Pick<BridgeWay, 'reading' | 'writing'>,
): Promise<AloneWay> {
  const bare = await BareLoad.start()
  const get = (index: number) => bare.send(index, reading)
  const set = (index: number) => bare.send(index, writing)
  const joined = async (from: number, to: number) => {
    await bare.connect(routers.all.slice(from, to), routers.certificate)
    const each = routers.all.slice(from, to).map(async (_, index) => {
      await get(from + index)
      await set(from + index)
    })
    await Promise.all(each)
  }
  try {
    await joined(0, FIRST)
    const few = await leastResident(bare.pid, SETTLE_MS)
    await joined(FIRST, count)
    const many = await leastResident(bare.pid, SETTLE_MS)
    const times = await loadRouters(bare.pid, count, get, set)
    await bare.hurry()
    return { ...times, few, many, hasty: await loadRouters(bare.pid, count, get, set) }
  } finally {
    bare.stop()
  }
}

function print(count: number, bridged: BridgeWay, alone: AloneWay, feed: number[]): Reach[] {
  const memory = eachOf(bridged, count)
  const perMinute = cpuOf(bridged, count)
  const core = perMinute === undefined ? undefined : (perMinute * count * 100) / LOAD_MS
  const rest = bridged.rest === undefined ? undefined : ((bridged.rest / count) * 60_000) / REST_MS
  const beyond = percentile(bridged.sets, 99) - percentile(alone.hasty.sets, 99)
  printRow(`A bridge with ${count} emulated routers, beside node-routeros alone`, [
    ['memory of a router', figure(memory, 'KB', 0), `${figure(eachOf(alone, count), 'KB', 0)} alone`],
    ['memory of the process', figure(bridged.many && bridged.many / 1e6, 'MB', 0)],
    ['until all are linked, read and written', figure(bridged.upMs / 1000, 's', 0)],
    ['CPU per router and minute, at rest', figure(rest, 'ms', 1)],
    [
      'CPU per router and minute, with a read and a write',
      figure(perMinute, 'ms', 1),
      `${figure(cpuOf(alone, count), 'ms', 1)} alone, ${ratio(perMinute, cpuOf(alone, count))}`,
    ],
    [`share of a core that all ${count} take then`, figure(core, '%', 0)],
    ['Set, p50', ...timesOf('sets', 50, bridged, alone)],
    ['Set, p99', ...timesOf('sets', 99, bridged, alone)],
    ['Get, p50', ...timesOf('gets', 50, bridged, alone)],
    ['Get, p99', ...timesOf('gets', 99, bridged, alone)],
    [`a signal that falls, until its Notify`, figure(median(bridged.signals), 'ms', 0), most(bridged.signals)],
    [`the same, until it is in the feed`, figure(median(feed), 'ms', 0), most(feed)],
  ])
  return [
    {
      name: `Memory of a bridged router, of ${count}`,
      value: memory,
      unit: 'KB',
      digits: 0,
      limit: 1024,
      better: 'less',
    },
    {
      name: 'Set of a bridged router beyond its own time, p99',
      value: beyond,
      unit: 'ms',
      digits: 1,
      limit: 20,
      better: 'less',
    },
    { name: `Core that ${count} bridged routers take`, value: core, unit: '%', digits: 0, limit: 100, better: 'less' },
  ]
}

function timesOf(kind: 'gets' | 'sets', percent: number, bridged: BridgeWay, alone: AloneWay): [string, string] {
  const { length } = kind === 'gets' ? bridged.reading : bridged.writing
  const [here, there, hasty] = [bridged, alone, alone.hasty].map((way) =>
    figure(percentile(way[kind], percent), 'ms', 1),
  )
  return [here ?? '', `${there} alone, ${hasty} alone without Nagle's waits, ${length} commands`]
}

function most(delays: number[]): string {
  return `at most ${Math.max(...delays)} ms, ${delays.length} routers`
}

function eachOf({ few, many }: Way, count: number): number | undefined {
  return few === undefined || many === undefined ? undefined : (many - few) / 1024 / (count - FIRST)
}

function cpuOf({ cpu }: RouterTimes, count: number): number | undefined {
  return cpu === undefined ? undefined : cpu / count
}
