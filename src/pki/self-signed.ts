import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type CertificateContents, writeCertificate } from './x509.ts'

/** The contents of a certificate that its own key signs. */
interface SelfSigned extends Pick<CertificateContents, 'commonName' | 'names' | 'notBefore' | 'notAfter' | 'serial'> {
  /** PEM of an EC private key on P-256. */
  key: string
}

/** PEM of a TLS server certificate that its own key signs. */
export function selfSigned({ key, ...contents }: SelfSigned): string {
  const publicKey = createPublicKey(createPrivateKey(key))
  return writeCertificate({
    ...contents,
    use: 'server',
    publicKey,
    issuer: { commonName: contents.commonName, key },
  })
}
