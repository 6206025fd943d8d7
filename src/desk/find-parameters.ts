import { AppError } from '../base/index.ts'
import type { DeviceId, Page, Parameter, ParameterStore } from '../domain/index.ts'

/** A search among the stored parameters of a device. */
interface ParameterQuery {
  path?: string | undefined
  contains?: string | undefined
  limit: number
  cursor?: string | undefined
}

/** Pages of the store that one page of an answer is made from, at most. */
const MAX_PAGES = 20
const PAGE = 1000

/**
 * Returns a page of the parameters at a path, below an object, below the objects that `*` names, or with a text in
 * their path. AppError `invalid` when `path` is none of these: an empty page would mean that the device has no such
 * parameter.
 */
export async function findParameters(
  parameters: ParameterStore,
  id: DeviceId,
  { path = '', contains, limit, cursor }: ParameterQuery,
): Promise<Page<Parameter>> {
  if (path !== '' && !/^(Device|InternetGatewayDevice)\./.test(path))
    throw new AppError(
      'invalid',
      'query.path: does not begin with Device. or InternetGatewayDevice.; use `contains` to find a part of a path',
    )
  if (/[[\]+#]/.test(path) || path.split('.').some((name) => name.includes('*') && name !== '*'))
    throw new AppError(
      'invalid',
      'query.path: is an expression; use * for any instance, or an operation `get`, which takes expressions',
    )
  const star = path.indexOf('*')
  if (star < 0 && contains === undefined) {
    if (path === '' || path.endsWith('.')) return parameters.list(id, path, limit, cursor)
    return { items: await parameters.getMany(id, [path]) }
  }
  const fits = matcher(path, contains)
  const prefix = star < 0 ? path.slice(0, path.lastIndexOf('.') + 1) : path.slice(0, star)
  const items: Parameter[] = []
  let next = cursor
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await parameters.list(id, prefix, Math.min(PAGE, limit - items.length), next)
    for (const parameter of page.items) if (fits(parameter.path)) items.push(parameter)
    next = page.next
    if (next === undefined || items.length >= limit) break
  }
  return next === undefined ? { items } : { items, next }
}

function matcher(path: string, contains: string | undefined): (path: string) => boolean {
  const text = contains?.toLowerCase()
  const names = path.split('.')
  // An object path ends in a dot: its last name is empty, and stands for anything below.
  const below = names.at(-1) === ''
  if (below) names.pop()
  return (given) => {
    if (text !== undefined && !given.toLowerCase().includes(text)) return false
    const parts = given.split('.')
    if (below ? parts.length <= names.length : path !== '' && parts.length !== names.length) return false
    return path === '' || names.every((name, n) => name === '*' || name === parts[n])
  }
}
