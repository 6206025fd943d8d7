import type { DeviceId, LinkSecretProof, LinkSecrets } from '../../../src/domain/index.ts'

/** The secrets that devices show in the path of their WebSocket, one each. */
export class Secrets implements Pick<LinkSecrets, 'ensure' | 'demand' | 'release'> {
  readonly #held = new Map<DeviceId, { secret: string; required: boolean }>()
  #made = 0

  ensure = async (deviceId: DeviceId): Promise<string> => this.#of(deviceId).secret

  demand = async (deviceId: DeviceId): Promise<string> => {
    const held = this.#of(deviceId)
    held.required = true
    return held.secret
  }

  release = async (deviceId: DeviceId): Promise<void> => {
    const held = this.#held.get(deviceId)
    if (held !== undefined) held.required = false
  }

  /** The record of the device was deleted. */
  delete(deviceId: DeviceId): void {
    this.#held.delete(deviceId)
  }

  /** The proof of a link by its path; a right secret is required from then on. */
  prove(deviceId: DeviceId, path: string): LinkSecretProof {
    const held = this.#held.get(deviceId)
    if (held === undefined) return 'notRequired'
    if (!path.endsWith(`/${held.secret}`)) return held.required ? 'required' : 'notRequired'
    held.required = true
    return 'right'
  }

  #of(deviceId: DeviceId): { secret: string; required: boolean } {
    const held = this.#held.get(deviceId) ?? {
      secret: `secret${String(++this.#made).padStart(16, '0')}`,
      required: false,
    }
    this.#held.set(deviceId, held)
    return held
  }
}
