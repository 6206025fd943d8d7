import { AppError } from '../base/index.ts'
import { type Config, OPTIONS } from '../config/index.ts'

const REASONS: Record<string, string> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'needs more rights than this process has',
  EADDRNOTAVAIL: 'is at an address that this machine does not have (--host)',
}

/** A listener that could not be opened, as a sentence that names the option; any other error as it is. */
export function inListenersWords(error: unknown, config: Config): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen') return error
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  const reason = REASONS[code ?? '']
  if (reason === undefined) return error
  const option = OPTIONS.find(({ key, type }) => type === 'port' && key !== 'uspPublicPort' && config[key] === port)
  const remedy = option === undefined ? '' : `; give another one with ${option.flag}`
  return new AppError('unavailable', `port ${port} ${reason}${remedy}`, { cause: error })
}
