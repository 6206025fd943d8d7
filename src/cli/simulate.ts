import { AppError, createLog, systemClock, systemRandom } from '../base/index.ts'
import { defaultMix, Fleet } from '../simulator/index.ts'

/** Runs a fleet against any server until it is told to stop. */
export async function runSimulate(flags: Record<string, string>): Promise<void> {
  const number = (name: string, min: number, max: number): number => {
    const value = Number(flags[name])
    if (!Number.isInteger(value) || value < min || value > max)
      throw new AppError('invalid', `--${name} takes a whole number from ${min} to ${max}`)
    return value
  }
  const log = createLog({ level: 'warn' })
  const fleet = new Fleet({
    mix: defaultMix(number('devices', 1, 5000)),
    faultEvery: number('faultEvery', 0, 10_000),
    seed: number('seed', 0, 999),
    servers: {
      acsUrl: flags.acsUrl ?? '',
      enrolmentSecret: flags.enrolmentSecret ?? '',
      usp: {
        endpointId: flags.endpointId ?? '',
        host: flags.uspHost ?? '',
        port: number('uspPort', 1, 65_535),
        path: flags.uspPath ?? '',
        tls: false,
      },
    },
    ...(flags.stateDir === undefined ? {} : { stateDir: flags.stateDir }),
    timeScale: number('timeScale', 1, 1000),
    informIntervalS: number('informInterval', 1, 86_400),
    staggerMs: 10,
    clock: systemClock,
    random: systemRandom,
    log,
  })
  const stop = () => {
    fleet.stop(true)
    // Goodbyes leave before the process does.
    setTimeout(() => process.exit(0), 300)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop)
  process.send?.({ type: 'ready', boxes: fleet.summary() })
  console.error(`${fleet.boxes.length} boxes`)
  await fleet.start()
  process.send?.({ type: 'started' })
  setInterval(() => undefined, 60_000)
}
