import type { Clock, Random } from '../../base/index.ts'
import { splitLeaf } from '../../datamodel/index.ts'
import type { InstanceTree } from '../../tree/index.ts'
import type { DeviceFamily, LivingTime } from './family.ts'
import { addressAfter } from './home.ts'

/** Minutes between two comings or goings of a station, and between two losses of the internet connection. */
const STATION_MIN = [20, 40] as const
const CONNECTION_MIN = [120, 360] as const
/** Seconds for which the connection is down. */
const DOWN_S = 20
const MINUTE_MS = 60_000

interface HomeLifeOptions {
  family: DeviceFamily
  serial: string
  tree: InstanceTree
  living: ReadonlyMap<string, (time: LivingTime) => string>
  /** Of the waits of the device. */
  clock: Clock
  wallClock: Clock
  random: Random
}

/** A station as it is delivered: its table and the values of its row. */
interface Station {
  table: string
  values: ReadonlyMap<string, string>
  mac: string
}

/**
 * The life of a home while its device is on: counters and levels move, stations come and go, and the internet
 * connection is lost and comes again with another address.
 */
export class HomeLife {
  readonly #options: HomeLifeOptions
  readonly #stations: readonly Station[]
  readonly #cancels = new Map<string, () => void>()
  #bootedAt = 0
  #connectedAt = 0

  /** `tree` is as delivered: its stations are those that the home has. */
  constructor(options: HomeLifeOptions) {
    this.#options = options
    this.#stations = stationsOf(options.tree)
    for (const [path, read] of options.living) options.tree.live(path, () => read(this.#time()))
  }

  /** The device boots. */
  start(): void {
    this.#bootedAt = this.#options.wallClock.now()
    this.#connectedAt = this.#bootedAt
    if (this.#stations.length > 0) this.#again('station', STATION_MIN, () => this.#comeOrGo())
    // A boot ends an interruption that a power cut has left.
    if (this.#status === 'Connecting') this.#connect()
    if (this.#options.family.connection !== undefined) this.#again('connection', CONNECTION_MIN, () => this.#lose())
  }

  /** The device is off. */
  stop(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }

  #time(): LivingTime {
    const now = this.#options.wallClock.now()
    return {
      upS: (now - this.#bootedAt) / 1000,
      connectedS: this.#status === 'Connected' ? (now - this.#connectedAt) / 1000 : 0,
    }
  }

  get #status(): string | undefined {
    const { family, tree } = this.#options
    return family.connection === undefined ? undefined : tree.raw(family.root + family.connection.status)
  }

  #again(name: string, [least, most]: readonly [number, number], work: () => void): void {
    const wait = (least + this.#options.random.fraction() * (most - least)) * MINUTE_MS
    this.#after(name, wait, () => {
      work()
      this.#again(name, [least, most], work)
    })
  }

  #after(name: string, ms: number, work: () => void): void {
    this.#cancels.get(name)?.()
    this.#cancels.set(name, this.#options.clock.after(ms, work))
  }

  /** One station that is there goes, or one that is away comes. */
  #comeOrGo(): void {
    const { tree, random } = this.#options
    const station = this.#stations[Math.floor(random.fraction() * this.#stations.length)]
    if (station === undefined || !tree.hasObject(rowOf(station.table))) return
    const row = tree.instances(station.table).find((path) => macOf(tree, path) === station.mac)
    if (row !== undefined) tree.deleteRow(row, 'device')
    else {
      const added = tree.addRow(station.table, 'device')
      for (const [name, value] of station.values) tree.put(added + name, value)
    }
    const associations = `${rowOf(station.table)}TotalAssociations`
    if (tree.raw(associations) !== undefined) tree.put(associations, String(tree.instances(station.table).length))
    this.#noteHost(station.mac, row === undefined)
  }

  #noteHost(mac: string, active: boolean): void {
    const { tree } = this.#options
    for (const path of [...tree.paths()]) {
      const { object, leaf } = splitLeaf(path)
      if (leaf === 'Active' && /\.Host\.\d+\.$/.test(object) && macOf(tree, object) === mac)
        tree.put(path, String(active))
    }
  }

  #lose(): void {
    // A device whose password is refused has no connection to lose.
    if (this.#status !== 'Connected') return
    this.#put('status', 'Connecting')
    this.#put('error', 'ERROR_ISP_TIME_OUT')
    this.#after('connect', DOWN_S * 1000, () => this.#connect())
  }

  #connect(): void {
    const { family, serial, tree, random, wallClock } = this.#options
    this.#connectedAt = wallClock.now()
    const address = addressAfter(serial, Math.floor(random.fraction() * 1e6))
    for (const path of family.connection?.addresses ?? []) tree.put(family.root + path, address)
    this.#put('error', 'ERROR_NONE')
    this.#put('status', 'Connected')
  }

  #put(name: 'status' | 'error', value: string): void {
    const { family, tree } = this.#options
    const path = family.connection?.[name]
    if (path !== undefined) tree.put(family.root + path, value)
  }
}

/** The row that a table belongs to: `...AssociatedDevice.` -> `...WLANConfiguration.1.` */
function rowOf(table: string): string {
  return table.slice(0, table.lastIndexOf('.', table.length - 2) + 1)
}

function stationsOf(tree: InstanceTree): Station[] {
  const rows = [...tree.objects()].filter((path) => /\.AssociatedDevice\.\d+\.$/.test(path))
  return rows.map((row) => {
    const values = new Map<string, string>()
    for (const path of tree.paths()) if (path.startsWith(row)) values.set(path.slice(row.length), tree.raw(path) ?? '')
    return { table: rowOf(row), values, mac: macOf(tree, row) }
  })
}

function macOf(tree: InstanceTree, row: string): string {
  for (const name of ['MACAddress', 'PhysAddress', 'AssociatedDeviceMACAddress']) {
    const value = tree.raw(row + name)
    if (value !== undefined) return value
  }
  return ''
}
