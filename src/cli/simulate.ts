import { readFileSync } from 'node:fs'
import { AppError, createLog, errorText, systemClock, systemRandom } from '../base/index.ts'
import {
  defaultMix,
  FAULTS,
  type Fault,
  Fleet,
  type FleetMix,
  isFault,
  SIMULATED_KINDS,
  type SimulatedKind,
} from '../simulator/index.ts'

const STATUS_EVERY_MS = 10_000

/** Runs a fleet against any server until it is told to stop. */
export async function runSimulate(flags: Record<string, string | boolean>): Promise<void> {
  const fleet = new Fleet(readFleet(flags))
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
  say(`${fleet.devices.length} boxes (${faulty} of them faulty) come to ${flags.acsUrl}`)
  const step = Math.max(50, Math.ceil(fleet.devices.length / 10))
  await fleet.start((on) => {
    if (on % step === 0 || on === fleet.devices.length) say(`${on} of ${fleet.devices.length} boxes are on`)
  })
  process.send?.({ type: 'started' })
  let told = ''
  setInterval(() => {
    const line = statusOf(fleet)
    if (line !== told) say(line)
    told = line
  }, STATUS_EVERY_MS)
}

/** What the flags make; AppError with a sentence for each that cannot be. */
function readFleet(flags: Record<string, string | boolean>): ConstructorParameters<typeof Fleet>[0] {
  const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : '')
  const number = (name: string, min: number, max: number): number => {
    const value = text(name) === '' ? Number.NaN : Number(text(name))
    if (!Number.isInteger(value) || value < min || value > max)
      throw new AppError('invalid', `--${dashed(name)} takes a whole number from ${min} to ${max}`)
    return value
  }
  const trusted = text('trust') === '' ? undefined : readPem(text('trust'))
  return {
    mix: text('mix') === '' ? defaultMix(number('devices', 1, 5000)) : readMix(text('mix')),
    faultEvery: number('faultEvery', 0, 10_000),
    faultKinds: readList('fault-kinds', text('faultKinds'), SIMULATED_KINDS),
    ...(text('faults') === '' ? {} : { faults: readFaults(text('faults')) }),
    seed: number('seed', 0, 999),
    servers: {
      acsUrl: readAcsUrl(text('acsUrl')),
      enrolmentSecret: text('enrolmentSecret'),
      ...(trusted === undefined ? {} : { acsCertificates: [trusted] }),
      usp: {
        endpointId: text('endpointId'),
        host: text('uspHost'),
        port: number('uspPort', 1, 65_535),
        path: text('uspPath'),
        tls: flags.uspTls === true,
        ...(trusted === undefined ? {} : { certificate: trusted }),
      },
    },
    listenHost: text('listenHost'),
    ...(text('stateDir') === '' ? {} : { stateDir: text('stateDir') }),
    timeScale: number('timeScale', 1, 1000),
    informIntervalS: number('informInterval', 1, 86_400),
    staggerMs: number('stagger', 0, 60_000),
    clock: systemClock,
    random: systemRandom,
    log: createLog({ level: 'warn' }),
  }
}

/** `dualStack=10,uspOnly=5`: kinds that are not named have none. */
export function readMix(text: string): FleetMix {
  const mix: FleetMix = { legacyTr098: 0, tr181NoAgent: 0, dualStack: 0, uspOnly: 0 }
  for (const item of text.split(',')) {
    const [name = '', count = ''] = item.split('=').map((part) => part.trim())
    const kind = SIMULATED_KINDS.find((known) => known === name)
    if (kind === undefined || !/^\d{1,4}$/.test(count))
      throw new AppError('invalid', `--mix takes kind=number,...; kinds are ${SIMULATED_KINDS.join(', ')}`)
    mix[kind] = Number(count)
  }
  const total = Object.values(mix).reduce((sum, count) => sum + count, 0)
  if (total < 1 || total > 5000) throw new AppError('invalid', '--mix makes from 1 to 5000 boxes')
  return mix
}

/** `slow,fault9002+noCookies`: dealt out in this order, those joined by `+` to one box. */
export function readFaults(text: string): (readonly Fault[])[] {
  return text.split(',').map((item) =>
    item.split('+').map((part) => {
      const name = part.trim()
      if (!isFault(name))
        throw new AppError('invalid', `--faults: ${JSON.stringify(name)} is none of ${FAULTS.join(', ')}`)
      return name
    }),
  )
}

function readList(flag: string, text: string, known: readonly SimulatedKind[]): readonly SimulatedKind[] {
  if (text === 'all') return known
  return text.split(',').map((item) => {
    const found = known.find((name) => name === item.trim())
    if (found === undefined)
      throw new AppError('invalid', `--${flag} takes all, or some of ${known.join(', ')}, with commas between`)
    return found
  })
}

function readAcsUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new AppError('invalid', `--acs-url takes an http or https URL, not ${JSON.stringify(text)}`)
  return text
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new AppError('invalid', `--trust: ${file} cannot be read (${errorText(cause)})`, { cause })
  }
}

/** One line: what the boxes did so far. */
function statusOf({ devices }: Fleet): string {
  const counts = { sessions: 0, failed: 0, linked: 0, reboots: 0 }
  for (const device of devices) {
    counts.sessions += device.cpe?.counters.sessions ?? 0
    counts.failed += device.cpe?.counters.failedSessions ?? 0
    counts.linked += device.agent?.connected === true ? 1 : 0
    counts.reboots += device.reboots
  }
  return `${counts.sessions} CWMP sessions (${counts.failed} failed), ${counts.linked} USP links open, ${counts.reboots} reboots`
}

function say(line: string): void {
  console.error(line)
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
