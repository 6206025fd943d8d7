import { AppError } from '../../base/index.ts'
import { type Config, OPTIONS } from '../../config/index.ts'

/** By the code of the error: what is wrong, and what to do with the option of the port or of the address. */
const TEXTS: Record<string, (port: string, portFlag: string, host: string, hostFlag: string) => string> = {
  EADDRINUSE: (port, portFlag) => `port ${port} is in use by another program; give another one with ${portFlag}`,
  EACCES: (port, portFlag) =>
    `port ${port} needs more rights than this process has; give one above 1023 with ${portFlag}`,
  EADDRNOTAVAIL: (_port, _portFlag, host, hostFlag) =>
    `this machine has no address ${host}; give one that it has with ${hostFlag}, or 0.0.0.0 for all of them`,
  ENOTFOUND: (_port, _portFlag, host, hostFlag) =>
    `the name ${host} is not known to this machine; give an address with ${hostFlag}`,
}

/** By the code of the error: the reason that a data folder cannot be used. */
const FOLDER_REASONS: Record<string, string> = {
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  EROFS: 'its file system can only be read',
  ENOTDIR: 'a part of its path is a file and no folder',
  EEXIST: 'there is a file of that name',
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of its disk is used up',
}

/** An error of the system at the start, as a sentence that names the option that mends it; any other error as it is. */
export function inStartWords(error: unknown, config: Pick<Config, 'dataDir' | 'apiHost'> & Partial<Config>): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  return ofFolder(error, config.dataDir) ?? ofListener(error, config) ?? error
}

function ofFolder(error: Error, dataDir: string): AppError | undefined {
  const { code = '', path } = error as NodeJS.ErrnoException
  const reason = FOLDER_REASONS[code]
  if (reason === undefined || path?.startsWith(dataDir) !== true) return undefined
  const text = `data folder ${dataDir} cannot be used: ${reason} (${code}, ${path}); mend that, or give another --data-dir`
  return new AppError('unavailable', text, { cause: error })
}

function ofListener(error: Error, config: Pick<Config, 'apiHost'> & Partial<Config>): AppError | undefined {
  const { code = '', syscall, port, address, hostname } = error as ListenError
  const text = TEXTS[code]
  if (text === undefined || (syscall !== 'listen' && syscall !== 'getaddrinfo')) return undefined
  const host = address ?? hostname ?? ''
  const option = OPTIONS.find(({ key, type }) => type === 'port' && key !== 'uspPublicPort' && config[key] === port)
  const isApi = option === undefined ? config.apiHost === host : option.key === 'apiPort'
  const sentence = text(String(port), option?.flag ?? 'its option', host, isApi ? '--api-host' : '--host')
  return new AppError('unavailable', sentence, { cause: error })
}

interface ListenError extends NodeJS.ErrnoException {
  port?: number
  address?: string
  hostname?: string
}
