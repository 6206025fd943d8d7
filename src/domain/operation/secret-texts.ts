import { defined } from '../../base/index.ts'
import { isSecret } from '../../datamodel/index.ts'
import { MASK, shownValue } from '../device/shown-value.ts'
import { type OperationRequest, type OperationResult, type PathOutcome, rowsToAdd } from './operation.ts'

/**
 * Returns the values that a request gives to the device, each with its path or the name of its argument; those of rows
 * to add have `{i}` for the number of the row.
 */
export function writtenValues(request: OperationRequest): [string, string][] {
  switch (request.verb) {
    case 'set':
      return request.values.map(({ path, value }) => [path, value])
    case 'add':
      return rowsToAdd(request).flatMap(({ object, values }) =>
        Object.entries(values).map(([name, value]): [string, string] => [`${object}{i}.${name}`, value]),
      )
    case 'operate':
      return Object.entries(request.input)
    case 'script':
      return Object.entries(request.parameters)
    case 'download':
      return [
        ['Password', request.password ?? ''],
        ['URL', request.url],
      ]
    case 'upgrade':
      return request.packages.map((url) => ['URL', url])
    default:
      return []
  }
}

/**
 * Returns a mask for texts about requests: what it returns has none of the secrets that the requests write, whoever made
 * the text. Devices repeat a value that they refuse in the text of their fault, as it is, escaped or cut.
 */
export function secretTextMask(...requests: OperationRequest[]): (text: string) => string {
  return textMask(requests.flatMap(writtenValues).flatMap(([path, value]) => secretParts(path, value)))
}

/** Returns a mask for texts that may repeat one of these secrets. */
export function textMask(values: readonly string[]): (text: string) => string {
  const secrets = new Set(values.filter((value) => value !== ''))
  if (secrets.size === 0) return (text) => text
  const forms = [...secrets].flatMap(formsOf)
  return (text) => maskForms(text, forms)
}

/** Forms of secrets of which a text may have the beginning; a text with that of more is masked as a whole. */
const MAX_FOUND = 100
/** Longer forms are searched for as they are: a pattern of that length takes seconds. */
const MAX_PATTERN = 256

function maskForms(text: string, forms: readonly string[]): string {
  const folded = text.toLowerCase()
  const found = forms.filter((form) => folded.includes(form.slice(0, MIN_INSIDE).toLowerCase()))
  if (found.length === 0) return text
  if (found.length > MAX_FOUND) return MASK
  // A secret may be the beginning of another one, and all of one goes before the beginning of another.
  found.sort((a, b) => b.length - a.length)
  let masked = text
  for (const form of found) if (form.length > MAX_PATTERN) masked = masked.replaceAll(form, MASK)
  const short = found.filter(({ length }) => length <= MAX_PATTERN)
  return masked.replace(new RegExp([...short.map(wholeForm), ...found.flatMap(cutForm)].join('|'), 'giu'), MASK)
}

/** A result whose texts have none of the secrets that its request writes. The same object when they had none. */
export function resultWithMaskedTexts(result: OperationResult, request: OperationRequest): OperationResult {
  if (!hasTexts(result)) return result
  const mask = secretTextMask(request, ...(result.own === undefined ? [] : [result.own.request]))
  const results = maskedOutcomes(result.results, mask)
  const read = result.read === undefined ? undefined : maskedOutcomes(result.read, mask)
  const error = maskedError(result.error, mask)
  const output = result.output === undefined ? undefined : maskedOutput(result.output, mask)
  const isSame =
    results === result.results && read === result.read && error === result.error && output === result.output
  return isSame ? result : { ...result, results, ...defined({ read, error, output }) }
}

/** Most results have neither errors nor output: they cost no patterns. */
function hasTexts({ results, read = [], error, output }: OperationResult): boolean {
  return error !== undefined || output !== undefined || [...results, ...read].some((outcome) => outcome.error)
}

function maskedOutcomes(outcomes: PathOutcome[], mask: (text: string) => string): PathOutcome[] {
  const clean = outcomes.map((outcome) => {
    const error = maskedError(outcome.error, mask)
    return error === undefined || error === outcome.error ? outcome : { ...outcome, error }
  })
  return clean.every((outcome, n) => outcome === outcomes[n]) ? outcomes : clean
}

function maskedError(error: OperationResult['error'], mask: (text: string) => string): OperationResult['error'] {
  if (error === undefined) return undefined
  const text = mask(error.text)
  return text === error.text ? error : { ...error, text }
}

function maskedOutput(output: Record<string, string>, mask: (text: string) => string): Record<string, string> {
  const clean = Object.entries(output).map(([name, value]): [string, string] => [name, mask(value)])
  return clean.every(([name, value]) => value === output[name]) ? output : Object.fromEntries(clean)
}

/** The parts of a value that its shown form masks: all of a secret, the login in a URL, the secret in an MTP row. */
function secretParts(path: string, value: string): string[] {
  if (value === '') return []
  if (isSecret(path)) return [value]
  const shown = shownValue(path, value)
  if (shown === value) return []
  const parts: string[] = []
  const [first = '', ...rest] = shown.split(MASK)
  let at = first.length
  for (const [n, next] of rest.entries()) {
    const end = n === rest.length - 1 ? value.length - next.length : value.indexOf(next, at)
    if (end < at) break
    const part = value.slice(at, end)
    // A login is repeated as a whole, or its password alone.
    parts.push(part, ...(next.startsWith('@') && part.includes(':') ? [part.slice(part.indexOf(':') + 1)] : []))
    at = end + next.length
  }
  return parts.filter((part) => part !== '')
}

/** Secrets of fewer characters are words of any text: they are masked between quotes alone. */
const MIN_LENGTH = 4
/** Secrets of fewer characters are masked as a whole word alone: `1234` is a part of many numbers. */
const MIN_INSIDE = 8

/** Returns the forms in which a text may have a secret. */
function formsOf(secret: string): string[] {
  return [...new Set([secret, xmlEscaped(secret), JSON.stringify(secret).slice(1, -1), encodedForUrl(secret)])]
}

function wholeForm(form: string): string {
  const whole = literal(form)
  if (form.length < MIN_LENGTH) return `(?<=["'\`])${whole}(?=["'\`])`
  return form.length < MIN_INSIDE ? `(?<![\\p{L}\\d])${whole}(?![\\p{L}\\d])` : whole
}

/** Characters of a beginning that count: with more of them the pattern would grow with the value. */
const MAX_CUT = 128

/** The beginning of a secret, where the text or what is quoted in it was cut. */
function cutForm(form: string): string[] {
  if (form.length <= MIN_INSIDE) return []
  const rest = [...form.slice(MIN_INSIDE, MAX_CUT)]
  const open = rest.map((character) => `(?:${literal(character)}`).join('')
  return [`${literal(form.slice(0, MIN_INSIDE))}${open}${')?'.repeat(rest.length)}(?=$|["'\`]|\\.{2}|…)`]
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** A half of a pair has no URL encoding. */
function encodedForUrl(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return text
  }
}

function xmlEscaped(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
  return text.replace(/[&<>"']/g, (character) => names[character] ?? character)
}
