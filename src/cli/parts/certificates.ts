import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { AppError, type Clock, errorText, type Lifecycle, type Log, type Random } from '../../base/index.ts'
import { type Config, isLoopback } from '../../config/index.ts'
import { ownCertificate } from './own-certificate.ts'
import { readPem } from './pem.ts'

/** The certificate, key and authorities of a TLS listener, as PEM text. */
export interface TlsFiles {
  cert: string
  key: string
  clientCa?: string
}

/** The source of the certificate of a listener. */
export type CertificateSource = 'given' | 'api' | 'own'

/** The source of the certificate of each listener; undefined: the listener has no TLS. */
interface CertificateSources {
  cwmp: CertificateSource | undefined
  usp: CertificateSource | undefined
  api: CertificateSource | undefined
}

const WATCH_MS = 10_000

/** Decides which listeners have TLS, and with which certificate. */
export function certificateSources(config: Config): CertificateSources {
  const given = config.tlsCert === undefined ? undefined : 'given'
  const wantsApi =
    config.apiTls === 'on' ||
    (config.apiTls === 'auto' && (config.apiTlsCert !== undefined || !isLoopback(config.apiHost)))
  return {
    cwmp: given ?? (config.plainCwmp ? undefined : 'own'),
    usp: given ?? (config.plainUsp ? undefined : 'own'),
    api: wantsApi ? (config.apiTlsCert === undefined ? (given ?? 'own') : 'api') : undefined,
  }
}

/**
 * Returns a note for the line that shows the address of the API: a certificate for devices alone gives an API on this
 * machine no TLS. '' when there is nothing to note.
 */
export function plainApiNote(config: Config): string {
  const isPlain = certificateSources(config).api === undefined
  if (!isPlain || config.tlsCert === undefined || config.apiTls !== 'auto') return ''
  return `(plain HTTP on ${config.apiHost}: --tls-cert is for devices; --api-tls on uses it for the API, too)  `
}

/**
 * The certificates of all listeners. While it runs, given files are read again when they change; what cannot be used
 * then is logged, and the certificate before stays.
 */
export class Certificates implements Lifecycle {
  readonly name = 'certificates'
  readonly #config: Config
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #watchMs: number
  readonly #sources: CertificateSources
  readonly #listeners = new Set<() => void>()
  #loaded: ReadonlyMap<CertificateSource, TlsFiles>
  #timer: NodeJS.Timeout | undefined
  /** The reason that the last reading failed for: it is logged once. */
  #failure: string | undefined

  /**
   * Throws AppError `invalid` naming the file that cannot be used, and why. `watchMs`: interval at which files are
   * compared.
   */
  constructor(config: Config, deps: { clock: Clock; random: Random; log: Log; watchMs?: number }) {
    this.#config = config
    this.#clock = deps.clock
    this.#random = deps.random
    this.#log = deps.log
    this.#watchMs = deps.watchMs ?? WATCH_MS
    this.#sources = certificateSources(config)
    this.#loaded = this.#load()
    this.#warnOfEnd()
  }

  get cwmp(): TlsFiles | undefined {
    return this.#of(this.#sources.cwmp)
  }

  get usp(): TlsFiles | undefined {
    return this.#of(this.#sources.usp)
  }

  get api(): TlsFiles | undefined {
    return this.#of(this.#sources.api)
  }

  /** The ends of the certificates in use, in seconds since 1970, by source. */
  expiries(): Record<string, number> {
    return Object.fromEntries(
      [...this.#loaded].map(([source, { cert }]) => [source, Date.parse(new X509Certificate(cert).validTo) / 1000]),
    )
  }

  /** Called after new certificates were read. */
  onRenewed(listener: () => void): void {
    this.#listeners.add(listener)
  }

  async start(): Promise<void> {
    // By content: a comparison of times misses what changes between two readings, and links that are put elsewhere.
    this.#timer = setInterval(() => this.reload(), this.#watchMs)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
  }

  /** Reads all files again and hands out what changed. Throws nothing: what cannot be used is logged, once. */
  reload(): void {
    try {
      const before = this.#loaded
      const loaded = this.#load()
      this.#failure = undefined
      if ([...loaded].every(([source, files]) => isSame(files, before.get(source)))) return
      this.#loaded = loaded
      for (const listener of this.#listeners) listener()
      this.#log.info({ expiries: this.expiries() }, 'certificates were read again')
      this.#warnOfEnd()
    } catch (error) {
      const reason = errorText(error)
      if (reason !== this.#failure) this.#log.error({ reason }, 'new certificates cannot be used; those before stay')
      this.#failure = reason
    }
  }

  #warnOfEnd(): void {
    for (const [source, end] of Object.entries(this.expiries()))
      if (end * 1000 < this.#clock.now())
        this.#log.warn({ source, validTo: new Date(end * 1000).toISOString() }, 'the TLS certificate has expired')
  }

  #of(source: CertificateSource | undefined): TlsFiles | undefined {
    return source === undefined ? undefined : this.#loaded.get(source)
  }

  #load(): Map<CertificateSource, TlsFiles> {
    const sources = new Set(Object.values(this.#sources).filter((source) => source !== undefined))
    return new Map([...sources].map((source) => [source, this.#read(source)]))
  }

  #read(source: CertificateSource): TlsFiles {
    if (source === 'own') return ownCertificate(this.#config, this.#clock, this.#random)
    const { tlsCert = '', tlsKey = '', tlsClientCa, apiTlsCert = '', apiTlsKey = '' } = this.#config
    const files: TlsFiles =
      source === 'api'
        ? { cert: readPem('--api-tls-cert', apiTlsCert), key: readPem('--api-tls-key', apiTlsKey) }
        : { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey) }
    if (source === 'given' && tlsClientCa !== undefined) files.clientCa = readPem('--tls-client-ca', tlsClientCa)
    const [cert, key] = source === 'api' ? ['--api-tls-cert', '--api-tls-key'] : ['--tls-cert', '--tls-key']
    try {
      checkPair(files)
    } catch (cause) {
      throw new AppError('invalid', `${cert} and ${key} do not make a working pair: ${errorText(cause)}`, { cause })
    }
    if (files.clientCa !== undefined) checkAuthorities(files.clientCa, files)
    return files
  }
}

/** Throws when TLS cannot use the certificate with the key. */
function checkPair({ cert, key }: TlsFiles): void {
  createSecureContext({ cert, key })
  // A secure context takes a key of another type than the certificate, and then fails in each handshake.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key belongs to another certificate')
}

/** AppError `invalid` when TLS cannot verify client certificates by these authorities. */
function checkAuthorities(ca: string, { cert, key }: TlsFiles): void {
  try {
    // A secure context takes a file without any certificate, and then trusts nothing.
    new X509Certificate(ca)
    createSecureContext({ cert, key, ca })
  } catch (cause) {
    throw new AppError('invalid', `--tls-client-ca holds no certificate that can be used: ${errorText(cause)}`, {
      cause,
    })
  }
}

function isSame(a: TlsFiles, b: TlsFiles | undefined): boolean {
  return a.cert === b?.cert && a.key === b.key && a.clientCa === b.clientCa
}
