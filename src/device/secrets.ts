import { isSecret } from '../datamodel/index.ts'
import type { OperationRequest, OperationResult } from './operation.ts'

/** What stands in logs, events, answers and the audit log instead of a secret. */
export const MASK = '[secret]'

/** A request with its secrets masked: what may be shown, and what is kept once the operation has ended. The same object when it has none. */
export function withoutSecrets(request: OperationRequest): OperationRequest {
  switch (request.verb) {
    case 'set':
      return request.values.some(isSecretValue) ? { ...request, values: request.values.map(masked) } : request
    case 'add': {
      const values = maskedAll(request.values)
      return values === request.values ? request : { ...request, values }
    }
    case 'operate': {
      const input = maskedAll(request.input)
      return input === request.input ? request : { ...request, input }
    }
    case 'download': {
      const url = withoutUser(request.url)
      if (url === request.url && (request.password ?? '') === '') return request
      return { ...request, url, ...(request.password === undefined ? {} : { password: MASK }) }
    }
    default:
      return request
  }
}

/** A result with its secrets masked. The same object when it has none. */
export function resultWithoutSecrets(result: OperationResult): OperationResult {
  const output = result.output === undefined ? undefined : maskedAll(result.output)
  const clean = output === result.output && !result.results.some(isSecretValue)
  if (clean) return result
  return { ...result, results: result.results.map(masked), ...(output === undefined ? {} : { output }) }
}

interface Entry {
  path: string
  value?: string
}

function isSecretValue({ path, value }: Entry): boolean {
  return value !== undefined && value !== '' && isSecret(path)
}

function masked<T extends Entry>(entry: T): T {
  return isSecretValue(entry) ? { ...entry, value: MASK } : entry
}

function maskedAll(values: Record<string, string>): Record<string, string> {
  const entries = Object.entries(values)
  if (!entries.some(([path, value]) => isSecretValue({ path, value }))) return values
  return Object.fromEntries(entries.map(([path, value]) => [path, masked({ path, value }).value]))
}

/** A URL without the user name and password before its host. */
export function withoutUser(text: string): string {
  const url = new URL(text)
  if (url.username === '' && url.password === '') return text
  url.username = ''
  url.password = ''
  return url.href
}
