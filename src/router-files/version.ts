/** A version of RouterOS. */
export interface RouterVersion {
  text: string
  major: number
  minor: number
  /** Returns a day such as 2026-03-01 as this version writes it. */
  writeDay(day: string): string
}

const FORM = /^(\d{1,2})\.(\d{1,3})(?:\.(\d{1,3}))?(?:(beta|rc)(\d{1,3}))?(?=$|\s|\+)/
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** Returns the version in a text such as `7.16.1 (stable)`; undefined where there is none. */
export function routerVersion(text = ''): RouterVersion | undefined {
  const parts = FORM.exec(text)
  if (parts === null) return undefined
  const [shown, major, minor] = [parts[0], Number(parts[1]), Number(parts[2])]
  const isIso = major > 7 || (major === 7 && minor >= 10)
  return { text: shown, major, minor, writeDay: (day) => (isIso ? day : oldDay(day)) }
}

/** Returns a number below, at or above 0 as the first version is older, the same or newer. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (const [i, part] of left.entries()) {
    const difference = part - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Numbers of a version; a beta is before a release candidate, and that before the version. */
function partsOf(text: string): number[] {
  const [, major, minor, patch = '0', kind, number = '0'] = FORM.exec(text) ?? []
  return [major, minor, patch, kind === undefined ? '2' : kind === 'rc' ? '1' : '0', number].map(Number)
}

/** `mar/01/2026`, before 7.10. */
function oldDay(day: string): string {
  const [year = '', month = '', date = ''] = day.split('-')
  return `${MONTHS[Number(month) - 1]}/${date}/${year}`
}
