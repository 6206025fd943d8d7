/** Longer texts are not kept. */
const MAX_LENGTH = 256

/**
 * Returns the same pure function of a text, with the results of up to `max` texts kept: those of one model and firmware
 * come again and again. All are given up when there are more, as texts come from devices.
 */
export function recalled<T>(max: number, work: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const result = known.get(text)
    if (result !== undefined || known.has(text)) return result as T
    const made = work(text)
    if (text.length > MAX_LENGTH) return made
    if (known.size >= max) known.clear()
    known.set(text, made)
    return made
  }
}
