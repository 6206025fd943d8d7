import type { InstanceTree } from '../tree/index.ts'

const BANKS = 'Device.DeviceInfo.FirmwareImage.'
const ACTIVE = 'Device.DeviceInfo.ActiveFirmwareImage'
const BOOT = 'Device.DeviceInfo.BootFirmwareImage'

/**
 * The firmware of one box: two banks that both protocols see (TR-181 FirmwareImage), or for TR-098 one image that the next boot takes. It is
 * its own: factory settings do not bring an older one back.
 */
export class Firmware {
  readonly #tree: InstanceTree
  readonly #version: string
  /** TR-098: what the next boot runs. */
  #pending: string | undefined

  /** `root` of the box's model. */
  constructor(tree: InstanceTree, root: 'Device.' | 'InternetGatewayDevice.') {
    this.#tree = tree
    this.#version = `${root}DeviceInfo.SoftwareVersion`
  }

  get version(): string {
    return this.#tree.raw(this.#version) ?? ''
  }

  /** The bank that does not run now; undefined: the box has no banks. */
  inactiveBank(): string | undefined {
    const active = `${this.#tree.raw(ACTIVE) ?? ''}.`
    return this.#tree.instances(BANKS).find((bank) => bank !== active)
  }

  status(bank: string, status: string): void {
    this.#tree.put(`${bank}Status`, status)
  }

  /** An image is there; `next`: the next boot runs it. */
  install(bank: string | undefined, version: string, next: boolean): void {
    if (bank === undefined) {
      this.#pending = version
      return
    }
    this.#tree.put(`${bank}Version`, version)
    this.#tree.put(`${bank}Available`, 'true')
    this.status(bank, bank === `${this.#tree.raw(ACTIVE)}.` ? 'Active' : 'Available')
    if (next) this.bootFrom(bank)
  }

  bootFrom(bank: string): void {
    this.#tree.put(BOOT, bank.replace(/\.$/, ''))
  }

  holdsImage(bank: string): boolean {
    return (this.#tree.raw(`${bank}Version`) ?? '') !== ''
  }

  /** At power-up: runs what the boot pointer names. Answers whether that is another version than before. */
  boot(): boolean {
    // The power went in the middle of one.
    for (const bank of this.#tree.instances(BANKS))
      if (this.#tree.raw(`${bank}Status`) === 'Downloading') this.status(bank, 'DownloadFailed')
    const next = this.#nextVersion()
    if (next === undefined || next === this.version) return false
    this.#tree.put(this.#version, next)
    return true
  }

  #nextVersion(): string | undefined {
    const pointer = this.#tree.raw(BOOT)
    if (pointer === undefined) {
      const pending = this.#pending
      this.#pending = undefined
      return pending
    }
    const bank = `${pointer}.`
    // An empty bank boots nothing: the box stays with what it has.
    if (!this.holdsImage(bank)) {
      this.#tree.put(BOOT, this.#tree.raw(ACTIVE) ?? '')
      return undefined
    }
    for (const other of this.#tree.instances(BANKS))
      if (other !== bank && this.#tree.raw(`${other}Status`) === 'Active') this.status(other, 'Available')
    this.status(bank, 'Active')
    this.#tree.put(ACTIVE, pointer)
    return this.#tree.raw(`${bank}Version`)
  }

  /** What a factory reset must not touch. */
  kept(): Record<string, string> {
    const kept: Record<string, string> = {}
    for (const path of this.#tree.paths()) {
      if (path === this.#version || path === ACTIVE || path === BOOT || path.startsWith(BANKS))
        kept[path] = this.#tree.raw(path) ?? ''
    }
    return kept
  }

  save(): string | undefined {
    return this.#pending
  }

  load(pending: string | undefined): void {
    this.#pending = pending
  }
}
