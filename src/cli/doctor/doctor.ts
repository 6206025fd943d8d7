import { systemClock, systemRandom } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { checkAlive } from '../parts/alive.ts'
import { insecureSettings } from '../parts/insecure.ts'
import { examineAddresses } from './addresses.ts'
import { examineCertificates } from './certificates.ts'
import { examineStore } from './database.ts'
import { type Finding, finding } from './finding.ts'
import { examineFolder } from './folder.ts'
import { examinePorts } from './listeners.ts'
import { examineOpenFiles } from './open-files.ts'
import { examineTelemetry } from './telemetry.ts'

const EARLIEST = Date.parse('2026-01-01T00:00:00Z')

/** Looks at everything that a server with this configuration needs, and changes nothing. */
export async function examine(
  config: Config,
  flags: Readonly<Record<string, string | undefined>> = {},
): Promise<Finding[]> {
  const isRunning = await checkAlive(config).then(
    () => true,
    () => false,
  )
  return [
    ...examineFolder(config),
    ...examineClock(),
    ...(await examineStore(config, () => systemClock.now())),
    ...(await examinePorts(config, isRunning)),
    ...examineOpenFiles(config),
    ...examineCertificates(config, systemClock, systemRandom),
    ...(await examineAddresses(config)),
    ...(await examineTelemetry(config)),
    ...insecureSettings(config, flags).map(({ option, line }) => finding('security').warning(`${option}: ${line}`)),
  ]
}

/** Prints what was found, and ends with exit code 1 when something does not work. */
export async function runDoctor(config: Config, flags: Readonly<Record<string, string | undefined>>): Promise<void> {
  const found = await examine(config, flags)
  for (const { about, state, text } of found) console.log(`${state.padEnd(8)} ${about.padEnd(13)} ${text}`)
  const count = (state: Finding['state']) => found.filter((one) => one.state === state).length
  console.log(`\nproblems: ${count('problem')}, warnings: ${count('warning')}`)
  process.exitCode = count('problem') === 0 ? 0 : 1
}

function examineClock(): Finding[] {
  if (Date.now() >= EARLIEST) return []
  return [finding('clock').problem(`the clock of this machine shows ${new Date().toISOString()}; set it, and use NTP`)]
}
