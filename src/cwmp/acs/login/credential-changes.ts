import { createKeyedQueue } from '../../../base/index.ts'
import type { CredentialStore, CwmpCredential, DeviceId } from '../../../domain/index.ts'
import type { Authenticator } from './authenticate.ts'

/**
 * Changes credentials one at a time per device: two sessions of one device never overwrite what the other has stored.
 */
export class CredentialChanges {
  readonly #credentials: CredentialStore
  readonly #authenticator: Pick<Authenticator, 'remember'>
  readonly #queue = createKeyedQueue()

  constructor(credentials: CredentialStore, authenticator: Pick<Authenticator, 'remember'>) {
    this.#credentials = credentials
    this.#authenticator = authenticator
  }

  /**
   * Reads the credential, stores what `next` makes of it, and returns that; it is durable then, and known to the
   * authenticator. Where `next` returns undefined or the same object, nothing is stored.
   */
  change(
    deviceId: DeviceId,
    next: (known: CwmpCredential | undefined) => Promise<CwmpCredential | undefined> | CwmpCredential | undefined,
  ): Promise<CwmpCredential | undefined> {
    return this.#queue.run(deviceId, async () => {
      const known = await this.#credentials.get(deviceId)
      const changed = await next(known)
      if (changed === undefined) return undefined
      if (changed !== known) await this.#credentials.put(changed)
      this.#authenticator.remember(changed)
      return changed
    })
  }
}
