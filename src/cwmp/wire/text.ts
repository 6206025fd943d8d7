import { TextDecoder } from 'node:util'
import { ProtocolError } from '../../base/index.ts'

/** Bytes of a document that are read in one portion. */
export const SLICE = 16_384

/**
 * Returns the decoder of a message: byte order mark, then charset of the Content-Type, then of the XML declaration,
 * then UTF-8. An unknown charset is passed over; bad bytes are replaced. ProtocolError `charset` when a charset is
 * named and none of them is known.
 */
export function decoderOf(bytes: Uint8Array, contentType: string | undefined): TextDecoder {
  const wide = wideCharset(bytes)
  if (wide !== undefined) return new TextDecoder(wide)
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 120)).toString('latin1')
  const named = [
    /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType ?? '')?.[1],
    /^[^<]*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1],
  ].filter((name) => name !== undefined)
  if (named.length === 0) return new TextDecoder()
  let cause: unknown
  for (const name of named) {
    try {
      return new TextDecoder(name)
    } catch (error) {
      cause = error
    }
  }
  const first = JSON.stringify(named[0]?.toLowerCase().slice(0, 40))
  throw new ProtocolError('charset', `charset ${first} is not known`, { cause })
}

/**
 * Detects UTF-16: by its byte order mark, or by `<` and a zero byte (XML 1.0 appendix F). It wins over every header.
 */
function wideCharset(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [a, b] = bytes
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) return 'utf-16le'
  return (a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c) ? 'utf-16be' : undefined
}
