import { isSecret } from '../../datamodel/index.ts'
import { shownValue } from '../../domain/index.ts'

/** Characters of the output of one command that an operation keeps. */
export const MAX_OUTPUT_TEXT = 1024 * 1024

const MAX_PATH = 1024
const PATH = /^Device\.(?:[\w-]+\.)*[\w-]*$/

/** Returns true for a text of an Agent that is a path of its data model, with instance numbers and not too long. */
export function isPath(text: string): boolean {
  return text.length <= MAX_PATH && PATH.test(text)
}

/** Returns texts of an Agent without secrets, and of at most `room` characters; a text that was cut ends in `…`. */
export function bounded(texts: Record<string, string>, room: number): Record<string, string> {
  let left = room
  const kept: Record<string, string> = {}
  for (const [name, text] of Object.entries(texts)) {
    left -= name.length
    if (left <= 0) break
    const shown = isSecret(name) ? '' : shownValue(name, text)
    kept[name] = shown.length <= left ? shown : `${shown.slice(0, left)}\u2026`
    left -= shown.length
  }
  return kept
}
