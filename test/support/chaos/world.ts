import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '../../../src/base/index.ts'
import { createSecretBox } from '../../../src/security/index.ts'
import type { Fault } from '../../../src/simulator/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { Balancer } from '../balancer.ts'
import { EngineProcess } from '../engine-process.ts'
import { FleetProcess } from '../fleet-process.ts'
import { ServerProcess, steppableClock } from '../server-process.ts'
import { testStore } from '../store.ts'
import { ChaosApi } from './api.ts'
import { Dice } from './dice.ts'

const SECRET_KEY = 'chaos'
const ENROLMENT_SECRET = 'batch-secret'
const API_KEY = 'isthmus_01m8fd3fhz0000009fcky40c0s_p4CPp0eKATLYs38FV9w9_MbPfOhOH4q9'
export const ENDPOINT_ID = 'proto::isthmus-chaos'

export interface ChaosOptions {
  seed: number
  /** Dual-stack devices; one without an Agent is beside them. */
  devices: number
  /** Every second device has these, in turn. */
  faults: readonly (readonly Fault[])[]
  /** Seconds between Informs as the devices are delivered. */
  informIntervalS: number
  /** Waits of the devices are divided by this. */
  timeScale: number
}

/**
 * Two servers over one database behind a load balancer, a fleet, and a view of the database beside them. Each is a
 * process that can die.
 */
export class ChaosWorld {
  readonly options: ChaosOptions
  readonly dice: Dice
  readonly engine = new EngineProcess()
  readonly servers: ServerProcess[] = []
  readonly cwmp: Balancer
  readonly usp: Balancer
  readonly api: ChaosApi
  /** Holds the data folders of the servers, with their logs. */
  readonly dir = mkdtempSync(join(tmpdir(), 'isthmus-chaos-'))
  #skewMs = 0
  #fleet: FleetProcess | undefined
  #store: Store | undefined

  constructor(options: ChaosOptions) {
    this.options = options
    this.dice = new Dice(options.seed)
    // The balancer has dice of its own: the number of connections is not the same in two runs.
    const balance = new Dice(options.seed + 1)
    this.cwmp = new Balancer((count) => balance.between(0, count - 1))
    this.usp = new Balancer((count) => balance.between(0, count - 1))
    this.api = new ChaosApi(this.servers, API_KEY)
  }

  get fleet(): FleetProcess {
    if (this.#fleet === undefined) throw new Error('the world was not started')
    return this.#fleet
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('the world was not started')
    return this.#store
  }

  async start(): Promise<void> {
    await Promise.all([this.engine.start(), this.cwmp.start(), this.usp.start()])
    for (const name of ['one', 'two']) this.servers.push(this.#server(name))
    for (const server of this.servers) await server.start()
    this.cwmp.ports = this.servers.map(({ ports }) => ports.cwmpPort)
    this.usp.ports = this.servers.map(({ ports }) => ports.uspPort)
    this.#store = await testStore(this.engine.uri, {
      databaseName: 'isthmus',
      instance: 'judge',
      secretBox: createSecretBox(SECRET_KEY, systemRandom),
    })
    const { devices, faults, seed, timeScale, informIntervalS } = this.options
    this.#fleet = new FleetProcess({
      mix: { legacyTr098: 1, tr181NoAgent: 0, dualStack: devices, uspOnly: 0 },
      faultEvery: 2,
      faults,
      seed: seed % 1000,
      enrolmentSecret: ENROLMENT_SECRET,
      endpointId: ENDPOINT_ID,
      timeScale,
      informIntervalS,
      cwmpPort: this.cwmp.port,
      uspPort: this.usp.port,
    })
    await this.#fleet.start()
  }

  /** Starts a server again, with the clock that all have now. */
  restart(server: ServerProcess): Promise<void> {
    return server.start(steppableClock(this.#skewMs))
  }

  /** Moves the clock of both servers, as of one machine. */
  async stepClocks(ms: number): Promise<void> {
    this.#skewMs += ms
    await Promise.all(this.servers.map((server) => server.stepClock(ms)))
  }

  /** The clock of both servers when they are started next. */
  stepClocksOfStopped(ms: number): void {
    this.#skewMs += ms
  }

  /** Ends all parts. `keep`: the folder stays, for whoever looks for the cause of a failure. */
  async stop(keep = false): Promise<void> {
    await this.#fleet?.stop()
    await Promise.all(this.servers.map((server) => server.stop()))
    await this.#store?.close()
    await Promise.all([this.cwmp.stop(), this.usp.stop(), this.engine.stop()])
    if (!keep) rmSync(this.dir, { recursive: true, force: true })
  }

  #server(name: string): ServerProcess {
    const dataDir = join(this.dir, name)
    mkdirSync(dataDir)
    const flags: Record<string, string> = {
      'mongodb-uri': this.engine.uri,
      'secret-key': SECRET_KEY,
      'enrolment-secret': ENROLMENT_SECRET,
      'first-api-key': API_KEY,
      'endpoint-id': ENDPOINT_ID,
      'inform-interval': String(this.options.informIntervalS),
      'usp-public-port': String(this.usp.port),
      're-enrolment': 'bootstrap',
      discovery: 'subtree',
    }
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
    return new ServerProcess(dataDir, args, { key: API_KEY, env: steppableClock() })
  }
}
