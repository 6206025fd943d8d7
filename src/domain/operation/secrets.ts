import { defined } from '../../base/index.ts'
import { isSecret } from '../../datamodel/index.ts'
import type { MappedFrom } from '../device/parameter.ts'
import { MASK, shownValue } from '../device/shown-value.ts'
import { type OperationRequest, type OperationResult, type PathOutcome, rowsToAdd } from './operation.ts'

/**
 * A request with its secrets masked: what may be shown, and what is kept once the operation has ended. The same object
 * when it has none.
 */
export function withoutSecrets(request: OperationRequest): OperationRequest {
  switch (request.verb) {
    case 'set':
      return request.values.some(isSecretValue) ? { ...request, values: request.values.map(masked) } : request
    case 'add': {
      const rows = rowsToAdd(request)
      const [first, ...more] = rows.map((row) => ({ ...row, values: maskedAll(row.values, row.object) }))
      if (first === undefined || [first, ...more].every(({ values }, n) => values === rows[n]?.values)) return request
      return { ...request, ...first, ...(request.more === undefined ? {} : { more }) }
    }
    case 'operate': {
      const input = maskedAll(request.input)
      return input === request.input ? request : { ...request, input }
    }
    case 'script': {
      const parameters = maskedAll(request.parameters)
      return parameters === request.parameters ? request : { ...request, parameters }
    }
    case 'download': {
      const url = withoutUser(request.url)
      if (url === request.url && (request.password ?? '') === '') return request
      return { ...request, url, ...(request.password === undefined ? {} : { password: MASK }) }
    }
    case 'upgrade': {
      const packages = request.packages.map(withoutUser)
      return packages.every((url, n) => url === request.packages[n]) ? request : { ...request, packages }
    }
    default:
      return request
  }
}

/**
 * A result with its secrets masked. The same object when it has none. Agents answer a secret with an empty text, and
 * many CPE do: that looks the same as a secret that was shown.
 */
export function resultWithoutSecrets(result: OperationResult): OperationResult {
  const output = result.output === undefined ? undefined : maskedAll(result.output)
  const results = outcomesMasked(result.results)
  const read = result.read === undefined ? undefined : outcomesMasked(result.read)
  if (output === result.output && results === result.results && read === result.read) return result
  return { ...result, results, ...defined({ output, read }) }
}

function outcomesMasked(outcomes: PathOutcome[]): PathOutcome[] {
  const clean = outcomes.map((entry) =>
    entry.value === '' && isSecret(entry.path)
      ? withSourceMasked({ ...entry, value: MASK })
      : withSourceMasked(withOutputMasked(withKeysMasked(masked(entry)))),
  )
  return clean.every((entry, n) => entry === outcomes[n]) ? outcomes : clean
}

interface Entry {
  path: string
  value?: string
}

function isSecretValue({ path, value }: Entry): boolean {
  return value !== undefined && shownValue(path, value) !== value
}

function masked<T extends Entry>(entry: T): T {
  return entry.value !== undefined && isSecretValue(entry)
    ? { ...entry, value: shownValue(entry.path, entry.value) }
    : entry
}

/** An entry whose source shows no secret: its own, or one that a parameter of another name holds. */
function withSourceMasked(entry: PathOutcome): PathOutcome {
  if (entry.from === undefined) return entry
  const from = sourceWithoutSecret(entry.path, entry.from)
  return from === entry.from ? entry : { ...entry, from }
}

/** The source of a mapped value as it may be shown. The same object when it shows no secret. */
export function sourceWithoutSecret(path: string, from: MappedFrom): MappedFrom {
  const { path: source, value } = from
  if (value === undefined || value === '') return from
  const shown = isSecret(path) ? MASK : shownValue(source ?? '', value)
  return shown === value ? from : { ...from, value: shown }
}

/** An entry whose unique keys show no secret. The same object when they show none. */
function withKeysMasked(entry: PathOutcome): PathOutcome {
  if (entry.keys === undefined) return entry
  const keys = maskedAll(entry.keys, entry.created ?? entry.path)
  return keys === entry.keys ? entry : { ...entry, keys }
}

/** An entry whose output shows no secret. The same object when it shows none. */
function withOutputMasked(entry: PathOutcome): PathOutcome {
  if (entry.output === undefined) return entry
  const output = maskedAll(entry.output)
  return output === entry.output ? entry : { ...entry, output }
}

/** Values by name, below an object or by themselves. */
function maskedAll(values: Record<string, string>, object = ''): Record<string, string> {
  const entries = Object.entries(values)
  if (!entries.some(([name, value]) => isSecretValue({ path: object + name, value }))) return values
  return Object.fromEntries(entries.map(([name, value]) => [name, shownValue(object + name, value)]))
}

/**
 * A URL without the user name and password before its host. A request with a text that is no URL is refused, and
 * audited all the same: everything before an `@` in it is masked.
 */
function withoutUser(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // `user:password@host` reads as a URL whose scheme is the user.
  if (url === undefined || url.host === '') return text.includes('@') ? MASK + text.slice(text.lastIndexOf('@')) : text
  if (url.username === '' && url.password === '') return text
  url.username = ''
  url.password = ''
  return url.href
}
