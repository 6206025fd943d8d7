import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { AppError, errorText } from '../../base/index.ts'
import { newTlsKey, serialOf, writeCertificateRequest } from '../../pki/index.ts'
import { newSealingKeys } from '../../security/index.ts'
import { readIfThere, writeDurably } from '../files/durable-file.ts'
import type { HeldCertificate, OwnBridge } from './server-answers.ts'
import type { RequestKey } from './server-client.ts'

/** The keys of a bridge, and what it has got for them. */
interface IdentityFile {
  /** PEM. */
  key: string
  sealing: { privateKey: string; publicKey: string }
  /** Absent until the bridge has registered. */
  registered?: { bridge: OwnBridge; own: HeldCertificate }
}

/**
 * The keys of the process and its certificate, in one file of the state folder. Keys are on the disk before they are
 * shown to a server: an answer that is lost is asked for again with the same ones.
 */
export class BridgeIdentity {
  readonly #path: string
  #file: IdentityFile

  private constructor(path: string, file: IdentityFile) {
    this.#path = path
    this.#file = file
  }

  /** Opens the identity of a state folder, which is made when there is none. AppError `invalid` when it is not readable. */
  static async open(folder: string): Promise<BridgeIdentity> {
    const path = join(folder, 'bridge.json')
    const text = await readIfThere(path)
    if (text === undefined) {
      const identity = new BridgeIdentity(path, { key: newTlsKey(), sealing: newSealingKeys() })
      await identity.#store()
      return identity
    }
    try {
      const file = JSON.parse(text) as IdentityFile
      createPrivateKey(file.key)
      createPrivateKey(file.sealing.privateKey)
      return new BridgeIdentity(path, file)
    } catch (cause) {
      throw new AppError(
        'invalid',
        `${path} cannot be read (${errorText(cause)}): put it back, or remove it and register with a new token`,
        { cause },
      )
    }
  }

  /** PEM of the key of all its certificates. */
  get key(): string {
    return this.#file.key
  }

  get sealing(): IdentityFile['sealing'] {
    return this.#file.sealing
  }

  get registered(): IdentityFile['registered'] {
    return this.#file.registered
  }

  /** The key that signs requests; undefined before the bridge has registered. */
  get requestKey(): RequestKey | undefined {
    const { registered, key } = this.#file
    if (registered === undefined) return undefined
    return { keyId: serialOf(new X509Certificate(registered.own.certificate)), key: createPrivateKey(key) }
  }

  /** PEM of a request for a certificate. */
  certificateRequest(): string {
    return writeCertificateRequest(this.#file.key, 'Isthmus bridge')
  }

  /**
   * Returns a certificate of the server as it is. AppError `invalid` for one that is of another key: with it in place of
   * the one before, the server would know the bridge no more.
   */
  own(held: HeldCertificate): HeldCertificate {
    if (new X509Certificate(held.certificate).checkPrivateKey(createPrivateKey(this.#file.key))) return held
    throw new AppError('invalid', 'the server sent a certificate for another key: look at what answers there')
  }

  /** Keeps what the server answered. Durable when it resolves. */
  async keep(registered: NonNullable<IdentityFile['registered']>): Promise<void> {
    this.#file = { ...this.#file, registered }
    await this.#store()
  }

  #store(): Promise<void> {
    return writeDurably(this.#path, `${JSON.stringify(this.#file)}\n`)
  }
}
