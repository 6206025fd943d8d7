import { writeFileSync } from 'node:fs'
import { AppError, createLog, defined, systemClock, systemRandom } from '../base/index.ts'
import type { SIMULATE_OPTIONS, ValuesOf } from '../config/index.ts'
import {
  defaultMix,
  Fleet,
  type FleetMix,
  RouterFleet,
  readFaults,
  readKinds,
  readMix,
  readRouterProfiles,
} from '../simulator/index.ts'
import { readPem } from './parts/pem.ts'

type SimulateOptions = ValuesOf<typeof SIMULATE_OPTIONS>

const STATUS_EVERY_MS = 10_000

/** Runs a fleet against any server until a signal, or the process that started it, stops it. */
export async function runSimulate(options: SimulateOptions): Promise<void> {
  const fleet = new Fleet(fleetOf(options))
  const routers = new RouterFleet({
    count: options.routeros,
    profiles: readRouterProfiles(options.routerosProfiles),
    firstPort: options.routerosPort,
    host: options.listenHost,
    timeScale: options.timeScale,
    clock: systemClock,
    random: systemRandom,
  })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    fleet.stop(true)
    routers.stop()
    // Goodbyes leave before the process does.
    setTimeout(() => process.exit(0), 300)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop)
  await routers.start()
  tellRouters(routers, options.routerosFile)
  process.send?.({ type: 'ready', devices: fleet.summary(), routers: routers.summary() })
  const faulty = fleet.devices.filter(({ faults }) => faults.length > 0).length
  if (fleet.devices.length > 0)
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
    mix: mixOf(options),
    faultEvery: options.faultEvery,
    faultKinds: readKinds(options.faultKinds),
    faults: options.faults === undefined ? undefined : readFaults(options.faults),
    seed: options.seed,
    servers: defined({
      acsUrl: options.acsUrl ?? '',
      enrolmentSecret: options.enrolmentSecret ?? '',
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

/** Returns the devices that are wanted: none where only routers are. */
function mixOf({ acsUrl, enrolmentSecret, routeros, mix, devices }: SimulateOptions): FleetMix {
  if (acsUrl === undefined && routeros > 0) return {}
  if (acsUrl === undefined || enrolmentSecret === undefined)
    throw new AppError(
      'invalid',
      `${acsUrl === undefined ? '--acs-url' : '--enrolment-secret'} is missing: the devices contact a server with both`,
    )
  return mix === undefined ? defaultMix(devices) : readMix(mix)
}

/** The addresses and logins of routers go into a file, or are printed. */
function tellRouters(routers: RouterFleet, file: string | undefined): void {
  const all = routers.summary()
  if (file !== undefined) writeFileSync(file, routers.table(), { mode: 0o600 })
  else
    for (const { serial, profile, host, port, tlsPort, sshPort, snmpPort, user, password } of all)
      say(
        `router ${serial} (${profile}): ${host}, API ${port}, API-SSL ${tlsPort}, SSH ${sshPort}, SNMP ${snmpPort}, login ${user} ${password}`,
      )
  if (all.length > 0)
    say(`${all.length} MikroTik routers are on${file === undefined ? '' : `; ${file} has their logins`}`)
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
