import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { AppError } from '../base/index.ts'

/**
 * Hybrid public key encryption (RFC 9180), base mode, of one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-128-GCM. Whoever has the public key can seal; the holder of the private key alone can open.
 */
const KEM = Buffer.from('KEM\x00\x20', 'latin1')
const SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x01', 'latin1')
const VERSION = Buffer.from('HPKE-v1')
const BASE_MODE = Buffer.from([0])
const KEY_BYTES = 16
const NONCE_BYTES = 12
const HASH_BYTES = 32
const TAG_BYTES = 16
/** Bytes before an X25519 key in its DER forms (RFC 8410 4, 7). */
const SPKI_HEAD = Buffer.from('302a300506032b656e032100', 'hex')
const POINT_BYTES = 32

/** The use of a sealed text: a text for another use, or about something else, does not open. */
export interface SealingContext {
  info: string
  about: string
}

/** A pair of keys for sealing: the private one as PEM (PKCS #8), the public one as 32 bytes in base64url. */
export function newSealingKeys(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { privateKey: pem, publicKey: pointOf(publicKey).toString('base64url') }
}

/** Returns true for a text that can be sealed to: an X25519 public key, 32 bytes in base64url, of no small order. */
export function isSealingKey(text: string): boolean {
  if (!isPoint(text)) return false
  try {
    exchange(generateKeyPairSync('x25519').privateKey, keyOf(text))
    return true
  } catch {
    return false
  }
}

function isPoint(text: string): boolean {
  return /^[\w-]{43}$/.test(text) && Buffer.from(text, 'base64url').length === POINT_BYTES
}

/** Seals a text to a public key: base64url of the encapsulated key and the ciphertext. AppError `invalid` for a bad key. */
export function sealTo(publicKey: string, plain: string, context: SealingContext): string {
  return sealWith(generateKeyPairSync('x25519').privateKey, publicKey, plain, context)
}

/** As `sealTo`, with an ephemeral key that is given. */
export function sealWith(ephemeral: KeyObject, publicKey: string, plain: string, context: SealingContext): string {
  const recipient = keyOf(publicKey)
  const encapsulated = pointOf(createPublicKey(ephemeral))
  const shared = sharedSecret(exchange(ephemeral, recipient), encapsulated, pointOf(recipient))
  const { key, nonce } = schedule(shared, context.info)
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(Buffer.from(context.about))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return Buffer.concat([encapsulated, sealed]).toString('base64url')
}

/**
 * Opens a text that was sealed to the public key of this private key (PEM). AppError `invalid` when it was sealed to
 * another key, or for another use, or was changed.
 */
export function openSealed(privateKey: string, sealed: string, context: SealingContext): string {
  try {
    const own = createPrivateKey(privateKey)
    const bytes = Buffer.from(sealed, 'base64url')
    const encapsulated = bytes.subarray(0, POINT_BYTES)
    const body = bytes.subarray(POINT_BYTES)
    const shared = sharedSecret(
      exchange(own, keyOf(encapsulated.toString('base64url'))),
      encapsulated,
      pointOf(createPublicKey(own)),
    )
    const { key, nonce } = schedule(shared, context.info)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAAD(Buffer.from(context.about))
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES))
    return decipher.update(body.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new AppError('invalid', 'the sealed text does not open with this key, or it is for another use', { cause })
  }
}

/** ExtractAndExpand of RFC 9180 4.1. */
function sharedSecret(dh: Buffer, encapsulated: Buffer, recipient: Buffer): Buffer {
  const prk = labeledExtract(KEM, Buffer.alloc(0), 'eae_prk', dh)
  return labeledExpand(KEM, prk, 'shared_secret', Buffer.concat([encapsulated, recipient]), HASH_BYTES)
}

/** KeySchedule of RFC 9180 5.1 in base mode. */
function schedule(shared: Buffer, info: string): { key: Buffer; nonce: Buffer } {
  const none = Buffer.alloc(0)
  const context = Buffer.concat([
    BASE_MODE,
    labeledExtract(SUITE, none, 'psk_id_hash', none),
    labeledExtract(SUITE, none, 'info_hash', Buffer.from(info)),
  ])
  const secret = labeledExtract(SUITE, shared, 'secret', none)
  return {
    key: labeledExpand(SUITE, secret, 'key', context, KEY_BYTES),
    nonce: labeledExpand(SUITE, secret, 'base_nonce', context, NONCE_BYTES),
  }
}

function labeledExtract(suite: Buffer, salt: Buffer, label: string, ikm: Buffer): Buffer {
  return hmac(salt.length === 0 ? Buffer.alloc(HASH_BYTES) : salt, VERSION, suite, Buffer.from(label), ikm)
}

/** One block of HKDF-Expand (RFC 5869 2.3): no length here is more than that of a hash. */
function labeledExpand(suite: Buffer, prk: Buffer, label: string, info: Buffer, length: number): Buffer {
  const head = Buffer.from([length >> 8, length & 0xff])
  return hmac(prk, head, VERSION, suite, Buffer.from(label), info, Buffer.from([1])).subarray(0, length)
}

function hmac(key: Buffer, ...parts: Buffer[]): Buffer {
  return createHmac('sha256', key).update(Buffer.concat(parts)).digest()
}

/** A point of small order gives an error: the shared secret would be known to everybody. */
function exchange(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  return diffieHellman({ privateKey, publicKey })
}

function keyOf(publicKey: string): KeyObject {
  if (!isPoint(publicKey)) throw new AppError('invalid', 'the key is no X25519 key: 32 bytes in base64url')
  const key = Buffer.concat([SPKI_HEAD, Buffer.from(publicKey, 'base64url')])
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

function pointOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-POINT_BYTES)
}
