import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { AppError, errorText, type Log } from '../base/index.ts'
import type { Config } from '../config/index.ts'

/** What TLS listeners need, as PEM text. */
export interface TlsFiles {
  cert: string
  key: string
  clientCa?: string
}

/** The files named in the configuration; undefined without a certificate. AppError `invalid` says which one cannot be used and why. */
export function readTls(config: Config, now: number, log: Log): TlsFiles | undefined {
  if (config.tlsCert === undefined || config.tlsKey === undefined) return undefined
  const files: TlsFiles = { cert: readPem('--tls-cert', config.tlsCert), key: readPem('--tls-key', config.tlsKey) }
  if (config.tlsClientCa !== undefined) files.clientCa = readPem('--tls-client-ca', config.tlsClientCa)
  try {
    const { clientCa: ca, ...pair } = files
    createSecureContext(ca === undefined ? pair : { ...pair, ca })
  } catch (cause) {
    throw new AppError('invalid', `--tls-cert and --tls-key do not make a working pair: ${errorText(cause)}`, { cause })
  }
  const { validTo } = new X509Certificate(files.cert)
  if (Date.parse(validTo) < now) log.warn({ file: config.tlsCert, validTo }, 'the TLS certificate has expired')
  return files
}

function readPem(flag: string, path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError('invalid', `${flag}: ${path} cannot be read: ${errorText(cause)}`, { cause })
  }
  if (!text.includes('-----BEGIN ')) throw new AppError('invalid', `${flag}: ${path} holds no PEM`)
  return text
}
