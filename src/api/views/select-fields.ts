import { isObject } from '../../base/index.ts'
/** Returns a view with its `id` and the fields that are named; below those that are objects, a dot leads on. */
export function selectFields(
  view: Record<string, unknown>,
  fields: readonly string[] | undefined,
): Record<string, unknown> {
  if (fields === undefined) return view
  const shown: Record<string, unknown> = { id: view.id }
  for (const name of fields) {
    const [top = '', ...below] = name.split('.')
    const value = Object.hasOwn(view, top) ? view[top] : undefined
    if (value === undefined) continue
    if (below.length === 0) shown[top] = value
    else shown[top] = { ...asObject(shown[top]), ...pick(asObject(value), below) }
  }
  return shown
}

function pick(value: Record<string, unknown>, [name = '', ...below]: string[]): Record<string, unknown> {
  if (!Object.hasOwn(value, name)) return {}
  return { [name]: below.length === 0 ? value[name] : pick(asObject(value[name]), below) }
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}
