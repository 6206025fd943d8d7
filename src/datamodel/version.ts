const MAX_KEY = 160
const MAX_TEXT = 64

/**
 * A key whose plain string order is the natural order of versions: numbers by value (1.10 after 1.9), a pre-release
 * before its release (2.0-rc1 before 2.0), a leading `v` or `V` without meaning, letters without case. For indexed
 * comparison of SoftwareVersion.
 */
export function versionKey(text: string): string {
  const tokens =
    text
      .slice(0, MAX_TEXT)
      .trim()
      .replace(/^[vV](?=\d)/, '')
      .toLowerCase()
      .match(/\d+|[a-z]+|[^a-z\d]+/g) ?? []
  let key = ''
  for (const token of tokens) {
    if (/^\d/.test(token)) key += numberKey(token)
    else if (/^[a-z]/.test(token)) key += `${isPreRelease(token) ? '!' : 'a'}${token} `
    // Separators carry no order of their own; a hyphen that begins a pre-release shows in the letters behind it.
  }
  // The end of a version sorts behind a pre-release mark and before anything more.
  return `${key.slice(0, MAX_KEY)}#`
}

/** Digits with their count before them: shorter numbers are smaller. */
function numberKey(digits: string): string {
  const value = digits.replace(/^0+(?=\d)/, '')
  return `5${String(value.length).padStart(2, '0')}${value}`
}

function isPreRelease(word: string): boolean {
  return /^(alpha|beta|rc|pre|dev|snapshot|test|eng)/.test(word)
}
