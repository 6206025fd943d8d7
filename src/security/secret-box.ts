import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { AppError, type Random } from '../base/index.ts'

/**
 * Seals device secrets for the database: AES-256-GCM under one server key, with the id of the owner as associated data.
 * Makes message authentication codes under derived keys, too.
 */
export interface SecretBox {
  /** `v1.<nonce>.<ciphertext+tag>`, base64url. */
  seal(plain: string, ownerId: string): string
  /**
   * Returns the plain text. AppError `internal` when the sealed text was changed, or sealed under another key or for
   * another owner.
   */
  open(sealed: string, ownerId: string): string
  /** Returns HMAC-SHA-256 of a text in hex, under a key that is derived from the server key for each purpose. */
  mac(purpose: string, text: string): string
}

/** Returns a SecretBox under the given key text of any length, which is hashed to 256 bits. */
export function createSecretBox(keyText: string, random: Random): SecretBox {
  const key = createHash('sha256').update(keyText).digest()
  return {
    seal(plain, ownerId) {
      const nonce = random.bytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(ownerId))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${Buffer.from(nonce).toString('base64url')}.${body.toString('base64url')}`
    },
    mac(purpose, text) {
      const derived = createHmac('sha256', key).update(`mac ${purpose}`).digest()
      return createHmac('sha256', derived).update(text).digest('hex')
    },
    open(sealed, ownerId) {
      const [version, nonce, body] = sealed.split('.')
      try {
        if (version !== 'v1' || nonce === undefined || body === undefined) throw new Error('unknown form')
        const bytes = Buffer.from(body, 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url')).setAAD(
          Buffer.from(ownerId),
        )
        decipher.setAuthTag(bytes.subarray(bytes.length - 16))
        return decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8')
      } catch (cause) {
        throw new AppError(
          'internal',
          'a stored secret cannot be opened with the server key: start the server with the key that sealed it',
          {
            cause,
            context: { ownerId },
          },
        )
      }
    },
  }
}
