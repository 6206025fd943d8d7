import { createPrivateKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSealingKey, newSealingKeys, openSealed, sealTo, sealWith } from '../../../src/security/index.ts'

/** PKCS #8 of an X25519 key (RFC 8410 7). */
const privateOf = (hex: string) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), Buffer.from(hex, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  })

describe('sealing to a public key', () => {
  const context = { info: 'login of a router', about: 'b1|192.0.2.1' }

  it('is HPKE: the bytes of RFC 9180 A.1.1', () => {
    const ephemeral = privateOf('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736')
    const recipient = privateOf('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8')
    const publicKey = Buffer.from('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d', 'hex')
    const vector = { info: 'Ode on a Grecian Urn', about: 'Count-0' }
    const plain = 'Beauty is truth, truth beauty'
    const sealed = sealWith(ephemeral, publicKey.toString('base64url'), plain, vector)
    expect(Buffer.from(sealed, 'base64url').toString('hex')).toBe(
      '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431' +
        'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
    )
    const pem = recipient.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(openSealed(pem, sealed, vector)).toBe(plain)
  })

  it('opens with its own key, for its own use alone', () => {
    const keys = newSealingKeys()
    const sealed = sealTo(keys.publicKey, 'pässword', context)
    expect(openSealed(keys.privateKey, sealed, context)).toBe('pässword')
    expect(sealTo(keys.publicKey, 'pässword', context)).not.toBe(sealed)
    const invalid = expect.objectContaining({ code: 'invalid' })
    expect(() => openSealed(newSealingKeys().privateKey, sealed, context)).toThrow(invalid)
    expect(() => openSealed(keys.privateKey, sealed, { ...context, about: 'b1|192.0.2.2' })).toThrow(invalid)
    expect(() => openSealed(keys.privateKey, sealed, { ...context, info: 'other' })).toThrow(invalid)
    for (const text of ['', 'AAAA', sealed.slice(0, 60), sealed.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))])
      expect(() => openSealed(keys.privateKey, text, context)).toThrow(invalid)
  })

  it('refuses keys that are none, or that make every secret the same', () => {
    for (const key of ['', 'short', Buffer.alloc(33).toString('base64url')])
      expect(() => sealTo(key, 'x', context)).toThrow(/X25519/)
    for (const small of [Buffer.alloc(32), Buffer.concat([Buffer.of(1), Buffer.alloc(31)])]) {
      expect(() => sealTo(small.toString('base64url'), 'x', context)).toThrow()
      expect(isSealingKey(small.toString('base64url'))).toBe(false)
    }
    expect(isSealingKey(newSealingKeys().publicKey)).toBe(true)
  })
})
