import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * Makes ids that sort by creation: 48 bit time, then a counter that never goes back within one process, then random
 * bits. 26 characters of Crockford base 32, lower case. Two processes cannot collide in practice (40 random bits per
 * process and id). `after` is the newest id of an earlier process: all of this one sort behind it, though the clock was
 * set back between them.
 */
export function createIdSource(clock: Clock, random: Random, after = ''): () => string {
  const before = timeOfId(after)
  let lastMs = Number.isNaN(before) ? 0 : before + 1
  let counter = 0
  return () => {
    const now = clock.now()
    if (now > lastMs) {
      lastMs = now
      counter = 0
    } else {
      counter++
    }
    let id = base32(lastMs, 10) + base32(counter, 6)
    for (const byte of random.bytes(10)) id += ALPHABET[byte & 31]
    return id
  }
}

/** Returns the bound of a range by age: every id made before this time is smaller, and no later one is. */
export function idBoundAt(ms: number): string {
  return base32(ms, 10)
}

/** Returns the time at which an id was made, by the clock of its maker; NaN for a text that is no id. */
export function timeOfId(id: string): number {
  if (!/^[0-9a-hjkmnp-tv-z]{26}$/.test(id)) return Number.NaN
  let time = 0
  for (const char of id.slice(0, 10)) time = time * 32 + ALPHABET.indexOf(char)
  return time
}

function base32(value: number, length: number): string {
  let rest = value
  let text = ''
  for (let i = 0; i < length; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}
