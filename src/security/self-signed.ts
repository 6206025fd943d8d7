import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'

/** The contents of a certificate that its own key signs. */
interface SelfSigned {
  /** PEM of an EC private key. */
  key: string
  commonName: string
  /** DNS names and IP addresses that it is for. */
  names: readonly string[]
  /** Milliseconds. */
  notBefore: number
  notAfter: number
  /** At most 20 bytes, the first one from 1 to 127. */
  serial: Uint8Array
}

const SEQUENCE = 0x30
const SET = 0x31
const ECDSA_WITH_SHA256 = der(SEQUENCE, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const COMMON_NAME = oid(0x55, 0x04, 0x03)
const SUBJECT_ALT_NAME = oid(0x55, 0x1d, 0x11)
const EXTENDED_KEY_USAGE = oid(0x55, 0x1d, 0x25)
const SERVER_AUTH = oid(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01)

/** PEM (PKCS #8) of a new P-256 private key. */
export function newTlsKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** PEM of a TLS server certificate (RFC 5280 4.1, version 3) that its own key signs with ECDSA and SHA-256. */
export function selfSigned({ key, commonName, names, notBefore, notAfter, serial }: SelfSigned): string {
  const privateKey = createPrivateKey(key)
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(commonName)))))
  const alternatives = names.map((text) =>
    isIP(text) === 0 ? der(0x82, Buffer.from(text, 'latin1')) : der(0x87, addressBytes(text)),
  )
  const extensions = [
    der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, ...alternatives))),
    der(SEQUENCE, EXTENDED_KEY_USAGE, der(0x04, der(SEQUENCE, SERVER_AUTH))),
  ]
  const signed = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    name,
    der(SEQUENCE, time(notBefore), time(notAfter)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  )
  const signature = sign('sha256', signed, privateKey)
  const certificate = der(SEQUENCE, signed, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** One value in the Distinguished Encoding Rules (X.690 10): tag, length, content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const length: number[] = []
  for (let rest = body.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff)
  const head = body.length < 0x80 ? [body.length] : [0x80 | length.length, ...length]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

function oid(...bytes: number[]): Buffer {
  return Buffer.from([0x06, bytes.length, ...bytes])
}

/** UTCTime until 2049, then GeneralizedTime (RFC 5280 4.1.2.5). */
function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/\.\d+Z$|[-:T]/g, '')}Z`
  return Number(text.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

function addressBytes(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number))
  // The URL parser writes an IPv6 address in full but for one `::`, and its last part in hexadecimal.
  const [left = '', right] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(left), groups(right ?? '')]
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
