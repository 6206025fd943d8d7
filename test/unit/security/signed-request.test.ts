import { createPrivateKey, createPublicKey } from 'node:crypto'
import { expect, it } from 'vitest'
import { newTlsKey } from '../../../src/pki/index.ts'
import { contentDigest, hasDigest, readSignature, signRequest, verifySignature } from '../../../src/security/index.ts'

const pem = newTlsKey()
const key = createPrivateKey(pem)
const now = Date.parse('2026-05-06T07:08:09Z')
const parts = { method: 'POST', path: '/api/v1/bridge/states', query: '' }
const signed = (over: { body?: string; keyId?: string } = {}) =>
  signRequest(parts, { body: '{"states":[]}', keyId: '4a1f', key, now, ...over })
const shownBy = (headers: Record<string, string>) => readSignature((name) => headers[name])

it('a signature holds for its method, path, query and digest, and for some minutes', () => {
  const headers = signed()
  expect(headers['signature-input']).toBe(
    `isthmus=("@method" "@path" "@query" "content-digest");created=${now / 1000};keyid="4a1f";alg="ecdsa-p256-sha256"`,
  )
  const shown = shownBy(headers)
  const publicKey = createPublicKey(key)
  expect(shown).toMatchObject({ keyId: '4a1f', digest: contentDigest(Buffer.from('{"states":[]}')) })
  expect(() => verifySignature(shown, parts, publicKey, now + 299_000)).not.toThrow()
  for (const other of [
    { ...parts, method: 'GET' },
    { ...parts, path: '/api/v1/bridge' },
    { ...parts, query: '?x=1' },
  ])
    expect(() => verifySignature(shown, other, publicKey, now)).toThrow(/not that of the key/)
  expect(() => verifySignature({ ...shown, digest: contentDigest(Buffer.from('{}')) }, parts, publicKey, now)).toThrow()
  expect(() => verifySignature(shown, parts, createPublicKey(newTlsKey()), now)).toThrow(/not that of the key/)
  for (const late of [now + 301_000, now - 301_000])
    expect(() => verifySignature(shown, parts, publicKey, late)).toThrow(/set the clock/)
})

it('a digest is compared with the body', () => {
  const body = Buffer.from('{"a":1}')
  expect(hasDigest(body, contentDigest(body))).toBe(true)
  expect(hasDigest(Buffer.from('{"a":2}'), contentDigest(body))).toBe(false)
  expect(hasDigest(body, '')).toBe(false)
})

it.each([
  ['no headers', {}],
  ['an input of another form', { 'signature-input': 'sig=("@method");created=1;keyid="a"' }],
  ['no signature', { signature: '' }],
  ['a signature of another length', { signature: 'isthmus=:AAAA:' }],
])('%s are refused', (_name, over) => {
  const headers = Object.keys(over).length === 0 ? {} : { ...signed(), ...over }
  expect(() => shownBy(headers)).toThrow(expect.objectContaining({ code: 'unauthorized' }))
})
