import { type OperationRequest, shownValue, withoutUser } from '../domain/index.ts'

const MAX_SHOWN = 50

/** A request as the audit log may keep it: secrets masked, long lists cut with a count. */
export function requestForAudit(request: OperationRequest): Record<string, unknown> {
  switch (request.verb) {
    case 'set': {
      const values = request.values.slice(0, MAX_SHOWN).map(({ path, value }) => ({ path, value: shown(path, value) }))
      return { verb: 'set', values, count: request.values.length }
    }
    case 'add':
      return {
        verb: 'add',
        object: request.object,
        values: shownAll(request.values, request.object),
        ...(request.more === undefined
          ? {}
          : { more: request.more.map(({ object, values }) => ({ object, values: shownAll(values, object) })) }),
      }
    case 'get':
    case 'instances':
    case 'delete':
      return { verb: request.verb, paths: request.paths.slice(0, MAX_SHOWN), count: request.paths.length }
    case 'operate':
      return { verb: 'operate', command: request.command, input: shownAll(request.input) }
    case 'subscribe':
      return { ...request, paths: request.paths.slice(0, MAX_SHOWN) }
    case 'download': {
      const { username: _username, password: _password, ...rest } = request
      return { ...rest, url: withoutUser(request.url) }
    }
    default:
      return { ...request }
  }
}

function shownAll(values: Record<string, string>, object = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .slice(0, MAX_SHOWN)
      .map(([name, value]) => [name, shown(object + name, value)]),
  )
}

function shown(path: string, value: string): string {
  const text = shownValue(path, value)
  return text.length <= 200 ? text : `${text.slice(0, 200)}...`
}
