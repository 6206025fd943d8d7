import { cpSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type Child, startChild } from '../../src/demo/child.ts'
import { type Fault, Fleet, type FleetMix, type SimulatedDevice } from '../../src/simulator/index.ts'

export interface FleetProcessOptions {
  mix: FleetMix
  faultEvery: number
  faults: readonly (readonly Fault[])[]
  seed: number
  enrolmentSecret: string
  endpointId: string
  timeScale: number
  informIntervalS: number
  cwmpPort: number
  uspPort: number
}

/** A simulated fleet as a process of its own, whose devices keep their settings over a kill. */
export class FleetProcess {
  readonly #options: FleetProcessOptions
  readonly #dir = mkdtempSync(join(tmpdir(), 'isthmus-fleet-'))
  #child: Child | undefined

  constructor(options: FleetProcessOptions) {
    this.#options = options
  }

  /** Resolves when every device is on. */
  async start(): Promise<void> {
    const { mix, faults, ...options } = this.#options
    const script = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
    if (!existsSync(script)) throw new Error('dist/ is missing: run `npm run setup` first')
    let started = () => {}
    const on = new Promise<void>((done) => {
      started = done
    })
    const flags: Record<string, string | number> = {
      'acs-url': `http://127.0.0.1:${options.cwmpPort}/`,
      'enrolment-secret': options.enrolmentSecret,
      'usp-port': options.uspPort,
      'endpoint-id': options.endpointId,
      mix: Object.entries(mix)
        .map(([kind, count]) => `${kind}=${count}`)
        .join(','),
      'fault-every': options.faultEvery,
      faults: faults.map((some) => some.join('+')).join(','),
      seed: options.seed,
      'state-dir': this.#dir,
      'time-scale': options.timeScale,
      'inform-interval': options.informIntervalS,
      stagger: 0,
    }
    this.#child = await startChild({
      name: 'fleet',
      script,
      args: ['simulate', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])],
      readyTimeoutMs: 60_000,
      logFd: openSync(join(this.#dir, 'fleet.txt'), 'a'),
      onMessage: ({ type }) => type === 'started' && started(),
    })
    await on
  }

  /** kill -9: a power cut of all devices. */
  async kill(): Promise<void> {
    const child = this.#child?.process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }

  /** The devices as their settings are now, by device id; none of them is on. */
  cpes(): Map<string, SimulatedDevice> {
    const copy = mkdtempSync(join(tmpdir(), 'isthmus-devices-'))
    try {
      for (const name of ['fleet.json', 'fleet.log'])
        if (existsSync(join(this.#dir, name))) cpSync(join(this.#dir, name), join(copy, name))
      return byId(this.#fleet(copy))
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  }

  /** Sets devices back to factory settings by hand, while the process is down. */
  reset(deviceIds: readonly string[]): void {
    const fleet = this.#fleet(this.#dir)
    const fresh = byId(this.#fleet(undefined))
    for (const [id, device] of byId(fleet)) {
      const factory = fresh.get(id)
      if (deviceIds.includes(id) && factory !== undefined) device.load(factory.save())
    }
    fleet.stop(false)
  }

  async stop(): Promise<void> {
    await this.#child?.stop()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #fleet(stateDir: string | undefined): Fleet {
    const { cwmpPort, uspPort, enrolmentSecret, endpointId, ...rest } = this.#options
    return new Fleet({
      ...rest,
      servers: {
        acsUrl: `http://127.0.0.1:${cwmpPort}/`,
        enrolmentSecret,
        usp: { endpointId, host: '127.0.0.1', port: uspPort, path: '/usp', tls: false },
      },
      ...(stateDir === undefined ? {} : { stateDir }),
      staggerMs: 0,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    })
  }
}

function byId(fleet: Fleet): Map<string, SimulatedDevice> {
  return new Map(
    fleet
      .summary()
      .flatMap(({ deviceId }, i) => (fleet.devices[i] === undefined ? [] : [[deviceId, fleet.devices[i]]])),
  )
}
