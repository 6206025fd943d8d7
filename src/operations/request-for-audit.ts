import { type OperationRequest, withoutSecrets } from '../domain/index.ts'

const MAX_SHOWN = 50
const MAX_LENGTH = 200

/** Returns a request for the audit log: secrets are masked, long lists are cut and counted. */
export function requestForAudit(full: OperationRequest): Record<string, unknown> {
  const request = withoutSecrets(full)
  switch (request.verb) {
    case 'set': {
      const values = request.values.slice(0, MAX_SHOWN).map(({ path, value }) => ({ path, value: cut(value) }))
      return { verb: 'set', values, count: request.values.length }
    }
    case 'add':
      return {
        verb: 'add',
        object: request.object,
        values: cutAll(request.values),
        ...(request.more === undefined
          ? {}
          : { more: request.more.map(({ object, values }) => ({ object, values: cutAll(values) })) }),
      }
    case 'get':
    case 'instances':
    case 'delete':
      return { verb: request.verb, paths: request.paths.slice(0, MAX_SHOWN), count: request.paths.length }
    case 'operate':
      return { verb: 'operate', command: request.command, input: cutAll(request.input) }
    case 'subscribe':
      return { ...request, paths: request.paths.slice(0, MAX_SHOWN) }
    case 'download': {
      const { username: _username, password: _password, ...rest } = request
      return rest
    }
    default:
      return { ...request }
  }
}

function cutAll(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .slice(0, MAX_SHOWN)
      .map(([name, value]) => [name, cut(value)]),
  )
}

function cut(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}...`
}
