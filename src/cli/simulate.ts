import { createLog, defined, systemClock, systemRandom } from '../base/index.ts'
import type { SIMULATE_OPTIONS, ValuesOf } from '../config/index.ts'
import { defaultMix, Fleet, readFaults, readKinds, readMix } from '../simulator/index.ts'
import { readPem } from './parts/pem.ts'

type SimulateOptions = ValuesOf<typeof SIMULATE_OPTIONS>

const STATUS_EVERY_MS = 10_000

/** Runs a fleet against any server until a signal, or the process that started it, stops it. */
export async function runSimulate(options: SimulateOptions): Promise<void> {
  const fleet = new Fleet(fleetOf(options))
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    fleet.stop(true)
    // Goodbyes leave before the process does.
    setTimeout(() => process.exit(0), 300)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop)
  process.send?.({ type: 'ready', devices: fleet.summary() })
  const faulty = fleet.devices.filter(({ faults }) => faults.length > 0).length
  say(`${fleet.devices.length} devices (${faulty} of them faulty) contact ${options.acsUrl}`)
  const step = Math.max(50, Math.ceil(fleet.devices.length / 10))
  await fleet.start((on) => {
    if (on % step === 0 || on === fleet.devices.length) say(`${on} of ${fleet.devices.length} devices are on`)
  })
  process.send?.({ type: 'started' })
  let printed = ''
  setInterval(() => {
    const line = statusOf(fleet)
    if (line !== printed) say(line)
    printed = line
  }, STATUS_EVERY_MS)
}

/** Returns what the options describe; AppError `invalid` naming the option that does not. */
export function fleetOf(options: SimulateOptions): ConstructorParameters<typeof Fleet>[0] {
  const trusted = options.trust === undefined ? undefined : readPem('--trust', options.trust)
  return defined({
    mix: options.mix === undefined ? defaultMix(options.devices) : readMix(options.mix),
    faultEvery: options.faultEvery,
    faultKinds: readKinds(options.faultKinds),
    faults: options.faults === undefined ? undefined : readFaults(options.faults),
    seed: options.seed,
    servers: defined({
      acsUrl: options.acsUrl,
      enrolmentSecret: options.enrolmentSecret,
      acsCertificates: trusted === undefined ? undefined : [trusted],
      usp: defined({
        endpointId: options.endpointId,
        host: options.uspHost,
        port: options.uspPort,
        path: options.uspPath,
        tls: options.uspTls === true,
        certificate: trusted,
      }),
    }),
    listenHost: options.listenHost,
    stateDir: options.stateDir,
    timeScale: options.timeScale,
    informIntervalS: options.informInterval,
    staggerMs: options.stagger,
    clock: systemClock,
    random: systemRandom,
    log: createLog({ level: 'warn' }),
  })
}

/** Returns one line with the counts of the fleet so far, and with the reason of a session that failed. */
export function statusOf({ devices }: Pick<Fleet, 'devices'>): string {
  const counts = { sessions: 0, failed: 0, linked: 0, reboots: 0 }
  let reason = ''
  for (const device of devices) {
    reason = device.cpe?.counters.lastFailure ?? reason
    counts.sessions += device.cpe?.counters.sessions ?? 0
    counts.failed += device.cpe?.counters.failedSessions ?? 0
    counts.linked += device.agent?.connected === true ? 1 : 0
    counts.reboots += device.reboots
  }
  const failed = counts.failed === 0 ? '0 failed' : `${counts.failed} failed, such as: ${reason}`
  return `${counts.sessions} CWMP sessions (${failed}), ${counts.linked} USP links open, ${counts.reboots} reboots`
}

function say(line: string): void {
  console.error(line)
}
