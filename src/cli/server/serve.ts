import { AppError, errorText } from '../../base/index.ts'
import { type Config, readConfig } from '../../config/index.ts'
import { plainApiNote } from '../parts/certificates.ts'
import { tellFirstKey } from '../parts/first-key.ts'
import { type RunningServer, startServer } from './server.ts'
import { createStopSignals } from './stop-signals.ts'

/** Longer than all parts together may take to end, shorter than what supervisors grant by default. */
const STOP_MS = 28_000
/** True on a terminal, which sends SIGHUP when it is closed and keeps no output. */
const isTerminal = process.stderr.isTTY === true

/**
 * Runs the server until SIGTERM, SIGINT, the end of the process that started it, or of its terminal. A second signal
 * ends it at once, which loses nothing. Without a terminal SIGHUP reads certificates and mapping rows again.
 */
export async function serveUntilSignal(flags: Record<string, string | undefined>): Promise<void> {
  const config = readConfig(flags, process.env)
  const stopped = new Promise<string>((resolve) => onSignals(resolve))
  const starting = startServer(config, { say: (line) => console.error(line), flags })
  const early = await Promise.race([starting.then(() => undefined), stopped])
  if (early !== undefined)
    console.error(`${early}: stopping as soon as the start is through; once more ends it at once`)
  const server = await starting
  watchDefects(server)
  if (!isTerminal)
    process.on('SIGHUP', () => {
      server.reloadCertificates()
      server.reloadMappingRows().catch((error: unknown) => server.onDefect('reload', error))
    })
  if (early === undefined) announce(server, config)
  const why = await stopped
  if (early === undefined) console.error(`${why}: stopping`)
  const limit = setTimeout(() => {
    console.error(`not stopped within ${STOP_MS / 1000} s; what is under way is taken up at the next start`)
    process.exit(1)
  }, STOP_MS)
  await server.stop()
  clearTimeout(limit)
  process.exit(0)
}

/** Ends the process with a sentence when something that a person can mend is wrong, else with the whole error. */
export function failWith(error: unknown): never {
  // The message of a system error (no permission, a full disk, an unknown host) is enough; its stack does not help.
  const mendable = error instanceof AppError || (error instanceof Error && 'syscall' in error)
  console.error(mendable ? error.message : error)
  process.exit(1)
}

function announce(server: RunningServer, config: Config): void {
  tellFirstKey(server, isTerminal, (line) => console.error(line))
  process.send?.({ type: 'ready', ...server, pid: process.pid })
  const cwmp = [
    ...(server.cwmpPort === 0 ? [] : [`port ${server.cwmpPort}`]),
    ...(server.cwmpsPort === 0 ? [] : [`port ${server.cwmpsPort} (TLS)`]),
  ]
  console.error(
    `API ${server.apiUrl}/api/v1/docs/  ${plainApiNote(config)}CWMP ${cwmp.join(', ')}  USP port ${server.uspPort}`,
  )
}

function onSignals(first: (name: string) => void): void {
  const meaning = createStopSignals(() => performance.now())
  const onSignal = (name: string) => {
    if (meaning() === 'endAtOnce') {
      console.error(`${name} again: ending at once`)
      process.exit(1)
    }
    first(name)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // Until it is up, a SIGHUP that asks for new certificates changes nothing.
  process.on('SIGHUP', isTerminal ? onSignal : () => undefined)
  process.on('disconnect', () => first('the process that started this one is gone'))
}

/**
 * Logs and counts unhandled rejections, which are defects of one piece of work: the server goes on. After an uncaught
 * exception the state in memory is unknown: the process ends, and the next one continues from the stored state.
 */
function watchDefects(server: RunningServer): void {
  process.on('unhandledRejection', (reason) => server.onDefect('rejection', reason))
  process.on('uncaughtException', (error) => {
    server.onDefect('exception', error)
    console.error(`ending after an error that was not caught: ${errorText(error)}`)
    process.exit(1)
  })
}
