import type { Clock } from '../base/index.ts'
import type { TreeView } from '../tree/index.ts'

/** The time that a run takes. */
const RUN_MS = 2000
/** A test of a download or an upload: so many bytes within so many milliseconds. */
const TEST_BYTES = 10_000_000
const TEST_MS = 1600
/** The hops of every route. */
const HOPS = ['192.0.2.1', '192.0.2.17', '198.51.100.1']

/** Writes a result of a run, where the device has a parameter for it. */
type Put = (name: string, value: string) => void

/**
 * The diagnostics that are run by a DiagnosticsState of CWMP: pings, routes, names, downloads and uploads, of TR-181 and
 * of TR-098. A run ends with the power.
 */
export class Diagnostics {
  readonly #view: TreeView
  readonly #clock: Clock
  readonly #wallClock: Clock
  readonly #running = new Map<string, () => void>()

  /** `clock` is that of the waits of the device; `wallClock` tells the time of day. */
  constructor(view: TreeView, clock: Clock, wallClock: Clock) {
    this.#view = view
    this.#clock = clock
    this.#wallClock = wallClock
  }

  /** Starts the run of an object, in place of one under way; its results are written after a moment. */
  run(object: string): void {
    this.#running.get(object)?.()
    const cancel = this.#clock.after(RUN_MS, () => {
      this.#running.delete(object)
      this.#finish(object)
    })
    this.#running.set(object, cancel)
  }

  stop(): void {
    for (const cancel of this.#running.values()) cancel()
    this.#running.clear()
  }

  /** Writes the results beside DiagnosticsState, and that at last. A run that was cancelled has none. */
  #finish(object: string): void {
    const view = this.#view
    if (view.get(`${object}DiagnosticsState`) !== 'Requested') return
    const put: Put = (name, value) => {
      if (view.get(object + name) !== undefined) view.tree.put(view.toCanonical(object + name), value)
    }
    const url = view.get(`${object}DownloadURL`) ?? view.get(`${object}UploadURL`)
    if (url !== undefined) return this.#transfer(object, url, put)
    if (view.isTable(`${object}Result.`)) return this.#resolve(object, put)
    const reached = view.get(`${object}Host`)?.endsWith('.invalid') !== true
    if (view.isTable(`${object}RouteHops.`)) this.#trace(object, reached, put)
    else this.#ping(object, reached, put)
    put('DiagnosticsState', reached ? 'Complete' : 'Error_CannotResolveHostName')
  }

  #ping(object: string, reached: boolean, put: Put): void {
    const repetitions = this.#view.get(`${object}NumberOfRepetitions`) ?? '1'
    put('SuccessCount', reached ? repetitions : '0')
    put('FailureCount', reached ? '0' : repetitions)
    put('AverageResponseTime', reached ? '12' : '0')
    put('MinimumResponseTime', reached ? '9' : '0')
    put('MaximumResponseTime', reached ? '17' : '0')
  }

  /** The rows of the hops replace those of the run before. */
  #trace(object: string, reached: boolean, put: Put): void {
    const { tree } = this.#view
    const table = this.#view.toCanonical(`${object}RouteHops.`)
    for (const row of tree.instances(table)) tree.deleteRow(row, 'device')
    if (reached)
      for (const [n, address] of HOPS.entries()) {
        const row = tree.addRow(table, 'device')
        // TR-098 has the names with Hop before them.
        const hop = tree.raw(`${row}HopHost`) === undefined ? '' : 'Hop'
        tree.put(`${row}${hop}Host`, `hop${n + 1}.example.net`)
        tree.put(`${row}${hop}HostAddress`, address)
        tree.put(`${row}${hop}RTTimes`, `${3 + 4 * n},${4 + 4 * n},${3 + 4 * n}`)
      }
    put('ResponseTime', reached ? '12' : '0')
  }

  /** Each repetition is a row of its own. */
  #resolve(object: string, put: Put): void {
    const { tree } = this.#view
    const table = this.#view.toCanonical(`${object}Result.`)
    for (const row of tree.instances(table)) tree.deleteRow(row, 'device')
    const host = this.#view.get(`${object}HostName`) ?? ''
    const found = !host.endsWith('.invalid')
    const repetitions = Math.min(10, Number(this.#view.get(`${object}NumberOfRepetitions`)) || 1)
    for (let n = 0; n < repetitions; n++) {
      const row = tree.addRow(table, 'device')
      tree.put(`${row}Status`, found ? 'Success' : 'Error_HostNameNotResolved')
      if (found) tree.put(`${row}HostNameReturned`, host)
      if (found) tree.put(`${row}IPAddresses`, '198.51.100.9,2001:db8::9')
      tree.put(`${row}DNSServerIP`, '192.0.2.53')
      tree.put(`${row}ResponseTime`, String(11 + n))
    }
    put('SuccessCount', found ? String(repetitions) : '0')
    put('DiagnosticsState', 'Complete')
  }

  /** A host below `.invalid` cannot be resolved (RFC 6761 6.4). */
  #transfer(object: string, url: string, put: Put): void {
    const host = URL.canParse(url) ? new URL(url).hostname : ''
    if (host === '' || host.endsWith('.invalid')) return put('DiagnosticsState', 'Error_InitConnectionFailed')
    const end = this.#wallClock.now()
    const time = (beforeEnd: number) => new Date(end - beforeEnd).toISOString().replace('Z', '000Z')
    put('TCPOpenRequestTime', time(TEST_MS + 60))
    put('TCPOpenResponseTime', time(TEST_MS + 40))
    put('ROMTime', time(TEST_MS + 20))
    put('BOMTime', time(TEST_MS))
    put('EOMTime', time(0))
    const length = this.#view.get(`${object}TestFileLength`) ?? String(TEST_BYTES)
    put('TestBytesReceived', String(TEST_BYTES))
    put('TotalBytesReceived', String(TEST_BYTES + 2000))
    put('TotalBytesSent', String(Number(length) + 2000))
    put('DiagnosticsState', 'Completed')
  }
}
