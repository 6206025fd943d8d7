import type { InstanceTree } from '../tree/index.ts'

const BANKS = 'Device.DeviceInfo.FirmwareImage.'
const ACTIVE = 'Device.DeviceInfo.ActiveFirmwareImage'
const BOOT = 'Device.DeviceInfo.BootFirmwareImage'

/**
 * The firmware of one device: two banks that both protocols show (TR-181 FirmwareImage), or for TR-098 one image for
 * the next boot. Factory settings do not bring an older version back.
 */
export class Firmware {
  readonly #tree: InstanceTree
  readonly #version: string
  /** TR-098: the version that the next boot runs. */
  #pending: string | undefined

  /** `root` of the device's model. */
  constructor(tree: InstanceTree, root: 'Device.' | 'InternetGatewayDevice.') {
    this.#tree = tree
    this.#version = `${root}DeviceInfo.SoftwareVersion`
  }

  get version(): string {
    return this.#tree.raw(this.#version) ?? ''
  }

  /** Returns the bank that does not run now; undefined when the device has no banks. */
  inactiveBank(): string | undefined {
    const active = `${this.#tree.raw(ACTIVE) ?? ''}.`
    return this.#tree.instances(BANKS).find((bank) => bank !== active)
  }

  status(bank: string, status: string): void {
    this.#tree.put(`${bank}Status`, status)
  }

  /** Installs an image; `next` means that the next boot runs it. */
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

  /** Powers up with the firmware that the boot pointer names. Returns true when that is another version than before. */
  boot(): boolean {
    // The power was cut during a download.
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
    // An empty bank cannot boot: the device keeps its version.
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

  /** Returns the values that a factory reset keeps. */
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
