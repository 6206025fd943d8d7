import { AppError, createKeyedQueue } from '../../../base/index.ts'
import type { CredentialStore, CwmpCredential, DeviceId } from '../../../domain/index.ts'
import type { Authenticator } from './authenticate.ts'

/** Tries to store a credential while others do so, too. */
const MAX_TRIES = 4

/**
 * Changes credentials one at a time per device: two sessions of one device never overwrite what the other has stored, nor
 * two servers. The credential that a login was checked with is not read again: where it is not the stored one any more,
 * nothing is written, and it is read.
 */
export class CredentialChanges {
  readonly #credentials: Pick<CredentialStore, 'get' | 'replace'>
  readonly #authenticator: Pick<Authenticator, 'known' | 'remember'>
  readonly #queue = createKeyedQueue()

  constructor(
    credentials: Pick<CredentialStore, 'get' | 'replace'>,
    authenticator: Pick<Authenticator, 'known' | 'remember'>,
  ) {
    this.#credentials = credentials
    this.#authenticator = authenticator
  }

  /** The credential of a CPE; without a login of its own as it was read lately, else as it is stored. */
  async of(deviceId: DeviceId): Promise<CwmpCredential | undefined> {
    const known = this.#authenticator.known(deviceId)
    return known !== undefined && known.credential?.current === undefined
      ? known.credential
      : this.#credentials.get(deviceId)
  }

  /**
   * Stores what `next` makes of the credential, and returns that; it is durable then, and known to the authenticator.
   * Where `next` returns undefined or the same object for the stored credential, nothing is stored. `next` is called again
   * when the credential was another one.
   */
  change(
    deviceId: DeviceId,
    next: (known: CwmpCredential | undefined) => Promise<CwmpCredential | undefined> | CwmpCredential | undefined,
  ): Promise<CwmpCredential | undefined> {
    return this.#queue.run(deviceId, async () => {
      const lately = this.#authenticator.known(deviceId)
      if (lately !== undefined) {
        const changed = await next(lately.credential)
        if (changed !== undefined && (await this.#replace(lately.credential, changed))) return changed
      }
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const stored = await this.#credentials.get(deviceId)
        const changed = await next(stored)
        if (changed === undefined) return undefined
        if (changed === stored) this.#authenticator.remember(stored)
        if (changed === stored || (await this.#replace(stored, changed))) return changed
      }
      throw new AppError('unavailable', 'the credential of the device is written by several servers at once', {
        context: { deviceId },
      })
    })
  }

  /** False when nothing differs, or the stored credential is another one. */
  async #replace(known: CwmpCredential | undefined, changed: CwmpCredential): Promise<boolean> {
    if (changed === known || !(await this.#credentials.replace(known, changed))) return false
    this.#authenticator.remember(changed)
    return true
  }
}
