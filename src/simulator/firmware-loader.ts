import { type Transfer, TransferFault } from '../cwmp/index.ts'
import { fetchFile } from './file-fetch.ts'
import type { Firmware } from './firmware.ts'

const TIMEOUT_MS = 30_000
/** Node's names of the algorithms of USP (CheckSumAlgorithm). */
const ALGORITHMS: Record<string, string> = {
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}

/** Fetches files for a device, as Download of CWMP and Download() of USP ask for. */
export class FirmwareLoader {
  readonly #firmware: Firmware
  readonly #options: { timeScale: number; trusted(): readonly string[] }

  constructor(firmware: Firmware, options: { timeScale: number; trusted(): readonly string[] }) {
    this.#firmware = firmware
    this.#options = options
  }

  /** Firmware takes effect after a boot, a configuration file at once. */
  async fromCwmp({ fileType, ...transfer }: Transfer): Promise<{ restart: boolean }> {
    const signal = AbortSignal.timeout(TIMEOUT_MS * 10)
    if (!fileType.startsWith('1 ')) {
      await this.#fetch(transfer, signal)
      return { restart: false }
    }
    const bank = this.#firmware.inactiveBank()
    await this.#intoBank(bank, transfer, signal)
    this.#firmware.install(bank, this.#versionIn(transfer.url), true)
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
    const { timeScale, trusted } = this.#options
    await fetchFile({ ...file, signal, trusted: trusted(), timeoutMs: Math.max(2000, TIMEOUT_MS / timeScale) })
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
