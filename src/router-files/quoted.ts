/** Characters that mean themselves between quotation marks, to the console and to scripts of every version. */
const PLAIN = /^[A-Za-z0-9 ._:/@,+=-]$/

/**
 * Returns a text as a string of RouterOS scripts (RouterOS manual, Scripting: constant string). Each byte that may mean
 * something, such as a quotation mark, `$`, `[`, `\` or `?`, is written by its number.
 */
export function quoted(text: string): string {
  let literal = ''
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    literal += PLAIN.test(char) ? char : `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return `"${literal}"`
}
