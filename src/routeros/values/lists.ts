/** Ports from one to another, both included. */
interface PortRange {
  from: number
  to: number
}

/** Returns the items of a list with commas; an empty text has none. Undefined for a negated list (`!a,b`). */
export function parseList(text: string): string[] | undefined {
  if (text.startsWith('!')) return undefined
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Returns the ports of `80,443,5000-5010`; undefined for a negated list and for a text that is none. */
export function parsePorts(text: string): PortRange[] | undefined {
  const ranges: PortRange[] = []
  for (const item of parseList(text) ?? [text]) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(item)
    if (match === null) return undefined
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    if (from > to || to > 65_535) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

/** Returns a MAC address in upper case with colons; undefined for a text that is none. */
export function parseMac(text: string): string | undefined {
  return /^[0-9A-F]{2}(?:[:-][0-9A-F]{2}){5}$/i.test(text) ? text.toUpperCase().replaceAll('-', ':') : undefined
}
