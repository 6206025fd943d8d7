import { X509Certificate } from 'node:crypto'
import { AppError } from '../../base/index.ts'

let lastRead: { pem: string; serials: string[] } | undefined

/**
 * Serial numbers of all certificates in a PEM text. Plans of one server have the same, so that the last one read is
 * kept. AppError `invalid` for a text that is none.
 */
export function certificateSerials(pem: string): string[] {
  if (lastRead?.pem !== pem) lastRead = { pem, serials: serialsIn(pem) }
  return lastRead.serials
}

function serialsIn(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  // A private key beside its certificate would be written to every device.
  if (blocks.length === 0 || /-----BEGIN (?!CERTIFICATE-----)/.test(pem)) throw noCertificate()
  return blocks.map((block) => {
    try {
      return plainSerial(new X509Certificate(block).serialNumber)
    } catch (cause) {
      throw noCertificate(cause)
    }
  })
}

function noCertificate(cause?: unknown): AppError {
  const text =
    'settings.controller.certificate: give one certificate or more in PEM (-----BEGIN CERTIFICATE-----), and no key'
  return new AppError('invalid', text, { cause })
}

/** Devices write serial numbers with and without colons, leading zeros and capitals. */
export function plainSerial(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^0-9A-F]/g, '')
    .replace(/^0+/, '')
}
