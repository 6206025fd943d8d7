/** The part of an OpenAPI document that answers are checked against. */
export interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, ResponseObject> }>>
  components: { schemas: Record<string, JsonSchema> }
}
interface ResponseObject {
  content?: Record<string, { schema: JsonSchema }>
}
/** The keywords of JSON Schema that the description of the API uses. */
export interface JsonSchema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  propertyNames?: JsonSchema
  items?: JsonSchema
  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

/**
 * Returns the places where an answer of the API does not match its description, which also names fields that it does
 * not have.
 */
export function answerProblems(
  document: OpenApi,
  { method, path, status, body }: { method: string; path: string; status: number; body: unknown },
): string[] {
  const asked = path.replace(/[?#].*$/, '').split('/')
  const fits = (known: string) => {
    const parts = known.split('/')
    return parts.length === asked.length && parts.every((part, n) => part.startsWith('{') || part === asked[n])
  }
  // A path without a parameter is before one with it.
  const [known] = Object.keys(document.paths)
    .filter(fits)
    .sort((a, b) => a.split('{').length - b.split('{').length)
  const operation = known === undefined ? undefined : document.paths[known]?.[method.toLowerCase()]
  if (operation === undefined) return []
  const response = operation.responses[status] ?? operation.responses.default
  const schema = Object.values(response?.content ?? {})[0]?.schema
  return schema === undefined ? [`${status} is not described`] : problems(document, schema, body, 'body')
}

/** Returns the places where a value does not match a component of the description. */
export function componentProblems(document: OpenApi, name: string, value: unknown): string[] {
  const json: unknown = JSON.parse(JSON.stringify(value))
  return problems(document, { $ref: `#/components/schemas/${name}` }, json, name)
}

function problems(document: OpenApi, schema: JsonSchema, value: unknown, at: string): string[] {
  const parts = partsOf(document, schema)
  const found = parts.flatMap((part) => own(document, part, value, at))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return found
  const known = new Set(parts.flatMap(({ properties = {} }) => Object.keys(properties)))
  const isOpen = parts.some(
    ({ additionalProperties, anyOf, oneOf, type, properties }) =>
      (additionalProperties ?? false) !== false ||
      anyOf !== undefined ||
      oneOf !== undefined ||
      (Array.isArray(type) && properties === undefined),
  )
  const unknown = isOpen ? [] : Object.keys(value).filter((name) => !known.has(name))
  return [...found, ...unknown.map((name) => `${at}.${name} is not described`)]
}

/** A schema with all that it refers to and combines. */
function partsOf(document: OpenApi, schema: JsonSchema): JsonSchema[] {
  const { $ref, allOf = [], ...rest } = schema
  const named = $ref === undefined ? undefined : document.components.schemas[$ref.replace('#/components/schemas/', '')]
  if ($ref !== undefined && named === undefined) throw new Error(`${$ref} is not there`)
  return [rest, ...(named === undefined ? [] : [named]).concat(allOf).flatMap((part) => partsOf(document, part))]
}

function own(document: OpenApi, schema: JsonSchema, value: unknown, at: string): string[] {
  const { type, properties = {}, required = [], additionalProperties, propertyNames, items } = schema
  const types = type === undefined ? undefined : [type].flat()
  const kinds = kindsOf(value)
  if (types !== undefined && !types.some((name) => kinds.includes(name))) return [`${at} is no ${types.join(' or ')}`]
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at} is ${String(value)}, no ${schema.enum.join(' or ')}`]
  if (schema.const !== undefined && schema.const !== value) return [`${at} is not ${String(schema.const)}`]
  const found: string[] = []
  for (const choices of [schema.anyOf, schema.oneOf]) {
    if (choices === undefined) continue
    const each = choices.map((choice) => problems(document, choice, value, at))
    const best = each.sort((a, b) => a.length - b.length)[0] ?? []
    found.push(...best)
  }
  if (Array.isArray(value)) {
    if (items !== undefined) found.push(...value.flatMap((item, n) => problems(document, items, item, `${at}[${n}]`)))
    return found
  }
  if (typeof value !== 'object' || value === null) return found
  found.push(...required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name} is missing`))
  for (const [name, item] of Object.entries(value)) {
    const property = properties[name]
    if (property !== undefined) found.push(...problems(document, property, item, `${at}.${name}`))
    else if (typeof additionalProperties === 'object')
      found.push(...problems(document, additionalProperties, item, `${at}.${name}`))
    if (propertyNames !== undefined) found.push(...problems(document, propertyNames, name, `${at} key`))
  }
  return found
}

function kindsOf(value: unknown): string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  return typeof value === 'number' ? (Number.isInteger(value) ? ['integer', 'number'] : ['number']) : [typeof value]
}
