/** Floor 2: the certificate authority of an installation, and the certificates that a server makes for itself. */
export * from './authority.ts'
export * from './certificate.ts'
export * from './self-signed.ts'
export { keyOfRequest, newTlsKey, writeCertificateRequest } from './x509.ts'
