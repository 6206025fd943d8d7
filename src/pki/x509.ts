/** The door to the ASN.1 structures of certificates (RFC 5280) and certificate requests (RFC 2986). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { isIP } from 'node:net'
import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { AppError } from '../base/index.ts'

/** The use of a certificate: its key usages and extended key usages follow from it. */
type CertificateUse = 'authority' | 'client' | 'server'

/** The contents of a certificate. */
export interface CertificateContents {
  use: CertificateUse
  commonName: string
  /** DNS names, IP addresses and URIs that it is for. */
  names: readonly string[]
  publicKey: KeyObject
  /** The common name and the PEM key of the party that signs: an EC key on P-256. */
  issuer: { commonName: string; key: string }
  /** Milliseconds. */
  notBefore: number
  notAfter: number
  /** At most 20 bytes, the first one from 1 to 127. */
  serial: Uint8Array
}

const COMMON_NAME = '2.5.4.3'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
/** A request for a certificate of an EC key has some hundred bytes. */
const MAX_REQUEST = 8192

/** PEM (PKCS #8) of a new P-256 private key. */
export function newTlsKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** PEM of a certificate (RFC 5280 4.1, version 3) that is signed with ECDSA and SHA-256. */
export function writeCertificate(contents: CertificateContents): string {
  const { commonName, publicKey, issuer, notBefore, notAfter, serial } = contents
  const key = createPrivateKey(issuer.key)
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytesOf(serial),
    signature: algorithm,
    issuer: nameOf(issuer.commonName),
    validity: new Validity({ notBefore: secondOf(notBefore), notAfter: secondOf(notAfter) }),
    subject: nameOf(commonName),
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions(extensionsOf(contents, createPublicKey(key))),
  })
  const signatureValue = signed(AsnConvert.serialize(tbsCertificate), key)
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue })
  return pemOf('CERTIFICATE', AsnConvert.serialize(certificate))
}

/** PEM of a request for a certificate (RFC 2986) that the key signs with ECDSA and SHA-256. */
export function writeCertificateRequest(privateKey: string, commonName: string): string {
  const key = createPrivateKey(privateKey)
  const certificationRequestInfo = new CertificationRequestInfo({
    subject: nameOf(commonName),
    subjectPKInfo: AsnConvert.parse(spkiOf(createPublicKey(key)), SubjectPublicKeyInfo),
    attributes: new Attributes(),
  })
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const signature = signed(AsnConvert.serialize(certificationRequestInfo), key)
  const request = new CertificationRequest({ certificationRequestInfo, signatureAlgorithm, signature })
  return pemOf('CERTIFICATE REQUEST', AsnConvert.serialize(request))
}

/**
 * Returns the public key of a request for a certificate in PEM. AppError `invalid` when the text is none, when its key
 * did not sign it, and when the key is no EC key on P-256.
 */
export function keyOfRequest(pem: string): KeyObject {
  const refuse = (why: string, cause?: unknown) =>
    new AppError('invalid', `the certificate request ${why}: make one with ECDSA on P-256 and SHA-256 (RFC 2986)`, {
      ...(cause === undefined ? {} : { cause }),
    })
  if (pem.length > MAX_REQUEST) throw refuse(`has more than ${MAX_REQUEST} characters`)
  const base64 = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\sA-Za-z0-9+/=]+)-----END/.exec(pem)?.[1]
  if (base64 === undefined) throw refuse('is not in PEM')
  let request: CertificationRequest
  let key: KeyObject
  try {
    request = AsnConvert.parse(Buffer.from(base64, 'base64'), CertificationRequest)
    const spki = AsnConvert.serialize(request.certificationRequestInfo.subjectPKInfo)
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (cause) {
    throw refuse('cannot be read', cause)
  }
  if (!isP256(key)) throw refuse('has a key of another type')
  const { certificationRequestInfo: info, certificationRequestInfoRaw: raw, signatureAlgorithm, signature } = request
  if (signatureAlgorithm.algorithm !== ECDSA_WITH_SHA256) throw refuse('is signed with another algorithm')
  const bytes = Buffer.from(raw ?? AsnConvert.serialize(info))
  if (!verify('sha256', bytes, key, Buffer.from(signature))) throw refuse('is not signed by its own key')
  return key
}

/** True for an EC key on P-256. */
function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
}

function extensionsOf({ use, names, publicKey }: CertificateContents, issuerKey: KeyObject): Extension[] {
  const isAuthority = use === 'authority'
  const flags = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature
  const purpose = use === 'client' ? id_kp_clientAuth : id_kp_serverAuth
  const constraints = isAuthority ? { cA: true, pathLenConstraint: 0 } : { cA: false }
  // A certificate that signs itself is its own authority: limits of its use would make it one that may not sign.
  const limits =
    use === 'server'
      ? []
      : [
          extension(id_ce_basicConstraints, new BasicConstraints(constraints), true),
          extension(id_ce_keyUsage, new KeyUsage(flags), true),
        ]
  return [
    ...limits,
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(publicKey))),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdOf(issuerKey)) }),
    ),
    ...(isAuthority ? [] : [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([purpose]))]),
    ...(names.length === 0
      ? []
      : [extension(id_ce_subjectAltName, new SubjectAlternativeName(names.map(generalName)))]),
  ]
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

/** A text with a scheme is a URI; all others are addresses or DNS names. */
function generalName(text: string): GeneralName {
  if (isIP(text) !== 0) return new GeneralName({ iPAddress: plainAddress(text) })
  return /^[a-z][a-z0-9+.-]*:/i.test(text)
    ? new GeneralName({ uniformResourceIdentifier: text })
    : new GeneralName({ dNSName: text })
}

/** An IPv6 address without an IPv4 address at its end, as the URL parser writes it. */
function plainAddress(text: string): string {
  return isIP(text) === 6 ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])])
}

/** The time without its milliseconds, which a certificate cannot hold (RFC 5280 4.1.2.5.2). */
function secondOf(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000)
}

/** The SHA-1 of the key's bits (RFC 5280 4.2.1.2). */
function keyIdOf(key: KeyObject): Buffer {
  const { subjectPublicKey } = AsnConvert.parse(spkiOf(key), SubjectPublicKeyInfo)
  return createHash('sha1').update(Buffer.from(subjectPublicKey)).digest()
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function signed(bytes: ArrayBuffer, key: KeyObject): ArrayBuffer {
  return bytesOf(sign('sha256', Buffer.from(bytes), key))
}

/** The bytes in an ArrayBuffer of their own. */
function bytesOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

function pemOf(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
