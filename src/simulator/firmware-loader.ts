import { type Transfer, TransferFault } from '../cwmp/index.ts'
import { fetchFile, fetchText } from './file-fetch.ts'
import type { Firmware } from './firmware.ts'
import { FACTORY_FILE, isComplete, packagesOf, type RouterPackages, versionOfAll } from './router-packages.ts'

const TIMEOUT_MS = 30_000
/** Node's names of the algorithms of USP (CheckSumAlgorithm). */
const ALGORITHMS: Record<string, string> = {
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}

interface LoaderOptions {
  timeScale: number
  trusted(): readonly string[]
  /** The packages of a MikroTik router, whose firmware and configuration come in forms of their own. */
  packages?: RouterPackages
  /** A script of the ACS runs on the live configuration. Throws TransferFault for one that fails. */
  onScript?(text: string): void
  /** A script of the ACS runs at each reset from now on. */
  onFactoryScript?(text: string): void
  /** The package of the TR-069 client was not among those that were installed. */
  onClientLost?(): void
}

/** Fetches files for a device, as Download of CWMP and Download() of USP ask for. */
export class FirmwareLoader {
  readonly #firmware: Firmware
  readonly #options: LoaderOptions

  constructor(firmware: Firmware, options: LoaderOptions) {
    this.#firmware = firmware
    this.#options = options
  }

  /** Firmware takes effect after a boot, a configuration file at once. */
  async fromCwmp({ fileType, ...transfer }: Transfer): Promise<{ restart: boolean }> {
    const signal = AbortSignal.timeout(TIMEOUT_MS * 10)
    const { packages } = this.#options
    if (packages !== undefined) return this.#forRouter(packages, { fileType, ...transfer }, signal)
    if (!fileType.startsWith('1 ')) {
      await this.#fetch(transfer, signal)
      return { restart: false }
    }
    const bank = this.#firmware.inactiveBank()
    await this.#intoBank(bank, transfer, signal)
    this.#firmware.install(bank, this.#versionIn(transfer.url), true)
    return { restart: true }
  }

  /**
   * Firmware of a MikroTik router: a descriptor that lists its packages. A configuration whose name ends in `.alter` is
   * a script; any other one replaces the configuration with a boot.
   */
  async #forRouter(packages: RouterPackages, transfer: Transfer, signal: AbortSignal): Promise<{ restart: boolean }> {
    const text = await fetchText(this.#request(transfer, signal))
    if (transfer.fileType === FACTORY_FILE) {
      this.#options.onFactoryScript?.(text)
      return { restart: false }
    }
    if (!transfer.fileType.startsWith('1 ')) {
      const isScript = new URL(transfer.url).pathname.endsWith('.alter')
      if (isScript) this.#options.onScript?.(text)
      return { restart: !isScript }
    }
    const listed = packagesOf(text, packages)
    for (const { url } of listed) await this.#fetch({ ...transfer, url }, signal)
    this.#firmware.install(undefined, versionOfAll(listed), true)
    if (!isComplete(listed, packages)) this.#options.onClientLost?.()
    return { restart: true }
  }

  /** Download() into a bank; it does not choose the bank that boots. */
  async fromUsp(bank: string, args: Record<string, string>, signal: AbortSignal): Promise<void> {
    const { URL: url = '', Username: username = '', Password: password = '' } = args
    const algorithm = ALGORITHMS[args.CheckSumAlgorithm ?? 'SHA-1']
    const hex = args.CheckSum ?? ''
    if (hex !== '' && algorithm === undefined) throw new TransferFault(9018, 'an unknown CheckSumAlgorithm')
    const checksum = hex === '' || algorithm === undefined ? {} : { checksum: { algorithm, hex } }
    await this.#intoBank(bank, { url, username, password, ...checksum }, signal)
    this.#firmware.install(bank, this.#versionIn(url), false)
  }

  async #intoBank(bank: string | undefined, file: FileSource, signal: AbortSignal): Promise<void> {
    if (bank !== undefined) this.#firmware.status(bank, 'Downloading')
    try {
      await this.#fetch(file, signal)
    } catch (error) {
      if (bank !== undefined) this.#firmware.status(bank, 'DownloadFailed')
      throw error
    }
  }

  async #fetch(file: FileSource, signal: AbortSignal): Promise<void> {
    await fetchFile(this.#request(file, signal))
  }

  #request(file: FileSource, signal: AbortSignal): Parameters<typeof fetchFile>[0] {
    const { timeScale, trusted } = this.#options
    return { ...file, signal, trusted: trusted(), timeoutMs: Math.max(2000, TIMEOUT_MS / timeScale) }
  }

  /** Returns the version number in the name of the file. */
  #versionIn(url: string): string {
    const name = url.slice(url.lastIndexOf('/') + 1)
    return /(\d+(?:\.\d+)+)/.exec(name)?.[1] ?? `${this.#firmware.version}.1`
  }
}

interface FileSource {
  url: string
  username: string
  password: string
  checksum?: { algorithm: string; hex: string }
}
