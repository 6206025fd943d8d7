import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../base/index.ts'
import { schemaPathOf, splitLeaf } from './path.ts'
import { recalled } from './recall.ts'
import { type BaseType, checkType, isBaseType, sameValue } from './types.ts'

/** The models we carry: Device:2.19 as USP and as CWMP show it, and InternetGatewayDevice:1.14. */
export type ModelName = 'tr181-usp' | 'tr181-cwmp' | 'tr098'

/** Restrictions of a value, as the data files name them (data/README.md). */
export interface Facets {
  e?: string[]
  r?: [number | null, number | null, number?][]
  s?: [number | null, number | null][]
  l?: { minItems?: number; maxItems?: number; maxLength?: number }
  p?: string[]
  d?: [string, string]
  h?: 1
  x?: 1
  c?: 1
  n?: string
  fi?: 1
}

/** A parameter of the model. */
export interface ModelParameter {
  name: string
  type: BaseType
  /** w: writable; o: at creation only. */
  access: 'r' | 'w' | 'o'
  since: string
  facets: Facets
}

export interface ModelCommand {
  /** With its parentheses: `Reboot()`. */
  name: string
  async: boolean
  input: { name: string; type: string; mandatory: boolean }[]
  output: { name: string; type: string }[]
}

export interface ModelObject {
  /** Schema path, ends in a dot; tables end in `{i}.`. */
  path: string
  /** w: rows can be added and deleted. */
  access: 'r' | 'w'
  since: string
  table: boolean
  keys: string[][]
  /** NumberOfEntries parameter of the parent. */
  count?: string
  params: ReadonlyMap<string, ModelParameter>
  commands: ReadonlyMap<string, ModelCommand>
  events: ReadonlyMap<string, string[]>
}

export interface Model {
  readonly name: ModelName
  /** e.g. `urn:broadband-forum-org:tr-181-2-19-1-usp`. */
  readonly uri: string
  /** All objects by schema path. */
  readonly objects: ReadonlyMap<string, ModelObject>
  /** The object a path (with or without instance numbers) names; a table is found with and without its last `{i}.`. */
  object(path: string): ModelObject | undefined
  /** The parameter a full path names. */
  parameter(path: string): ModelParameter | undefined
  command(path: string): ModelCommand | undefined
}

interface RawObject {
  path: string
  access: 'r' | 'w'
  since: string
  table?: 1
  keys?: string[][]
  count?: string
  params: [string, string, 'r' | 'w' | 'o', string, Facets?][]
  commands?: [string, 0 | 1, [string, string, 0 | 1][], [string, string][]][]
  events?: [string, string[]][]
}
interface RawModel {
  uri: string
  types: Record<string, [BaseType, Facets]>
  objects: RawObject[]
}

/** Objects of all devices whose place in a model is kept. */
const MAX_OBJECTS = 20_000

const NONE: Facets = Object.freeze({})

/** The models that this process has read: each has some megabytes and does not change. */
const models = new Map<ModelName, Model>()

/** Returns a model. The first call reads its data file, in some 50 ms. */
export function loadModel(name: ModelName): Model {
  const model = models.get(name) ?? readModel(name)
  models.set(name, model)
  return model
}

function readModel(name: ModelName): Model {
  const file = join(packageRoot(import.meta.url), 'src/datamodel/data', `${name}.json`)
  const raw = JSON.parse(readFileSync(file, 'utf8')) as RawModel
  const objects = new Map<string, ModelObject>()
  for (const object of raw.objects) objects.set(object.path, unfold(object, raw.types))
  const find = (path: string) => {
    const schema = schemaPathOf(path)
    return objects.get(schema) ?? objects.get(`${schema}{i}.`)
  }
  const exactly = recalled(MAX_OBJECTS, (path) => objects.get(schemaPathOf(path)))
  return {
    name,
    uri: raw.uri,
    objects,
    object: find,
    parameter(path) {
      const { object, leaf } = splitLeaf(path)
      return exactly(object)?.params.get(leaf)
    },
    command(path) {
      const { object, leaf } = splitLeaf(path)
      return exactly(object)?.commands.get(leaf)
    },
  }
}

function unfold(raw: RawObject, types: RawModel['types']): ModelObject {
  const params = new Map<string, ModelParameter>()
  for (const [name, typeName, access, since, facets] of raw.params) {
    const [type, base] = isBaseType(typeName) ? [typeName, NONE] : (types[typeName] ?? (['string', NONE] as const))
    params.set(name, {
      name,
      type,
      access,
      since,
      facets: facets === undefined ? base : base === NONE ? facets : { ...base, ...facets },
    })
  }
  const object: ModelObject = {
    path: raw.path,
    access: raw.access,
    since: raw.since,
    table: raw.table === 1,
    keys: raw.keys ?? [],
    params,
    commands: new Map(
      (raw.commands ?? []).map(([name, async, input, output]) => [
        name,
        {
          name,
          async: async === 1,
          input: input.map(([arg, type, mandatory]) => ({ name: arg, type, mandatory: mandatory === 1 })),
          output: output.map(([arg, type]) => ({ name: arg, type })),
        },
      ]),
    ),
    events: new Map(raw.events ?? []),
  }
  if (raw.count !== undefined) object.count = raw.count
  return object
}

/**
 * Returns the reason for which a text is no value of a parameter: a wrong type, or a value that its facets exclude;
 * undefined when it is one.
 */
export function checkValue(
  parameter: ModelParameter,
  text: string,
): { kind: 'type' | 'value'; text: string } | undefined {
  if (parameter.facets.l === undefined) return checkItem(parameter, text)
  const items = text === '' ? [] : text.split(',').map((item) => item.trim())
  const { minItems, maxItems, maxLength } = parameter.facets.l
  if (maxLength !== undefined && text.length > maxLength)
    return { kind: 'value', text: `is longer than ${maxLength} characters` }
  if (maxItems !== undefined && items.length > maxItems)
    return { kind: 'value', text: `has more than ${maxItems} items` }
  if (minItems !== undefined && items.length < minItems)
    return { kind: 'value', text: `has fewer than ${minItems} items` }
  for (const item of items) {
    const problem = checkItem(parameter, item)
    if (problem !== undefined) return problem
  }
  return undefined
}

function checkItem(
  { type, facets }: ModelParameter,
  text: string,
): { kind: 'type' | 'value'; text: string } | undefined {
  const wrong = checkType(type, text)
  if (wrong !== undefined) return { kind: 'type', text: wrong }
  // Vendors may add words of their own (TR-106 3.3).
  if (facets.e !== undefined && !facets.e.includes(text) && !/^X_/.test(text)) {
    return {
      kind: 'value',
      text: `is none of ${facets.e.slice(0, 12).join(', ')}${facets.e.length > 12 ? ', ...' : ''}`,
    }
  }
  if (facets.p !== undefined && !facets.p.some((pattern) => formOf(pattern).test(text)))
    return { kind: 'value', text: 'has not the form it must have' }
  if (facets.r !== undefined && text !== '' && !facets.r.some(([min, max]) => inRange(Number(text), min, max))) {
    return {
      kind: 'value',
      text: `is outside ${facets.r.map(([min, max]) => `${min ?? ''}..${max ?? ''}`).join(', ')}`,
    }
  }
  if (facets.s !== undefined) {
    const size =
      type === 'hexBinary' ? text.length / 2 : type === 'base64' ? Buffer.from(text, 'base64').length : text.length
    if (!facets.s.some(([min, max]) => inRange(size, min, max)))
      return { kind: 'value', text: `has length ${size}, which is not allowed` }
  }
  return undefined
}

const forms = new Map<string, RegExp>()

/** The patterns of XML Schema are those of JavaScript, as far as the models use them, but hold for the whole text. */
function formOf(pattern: string): RegExp {
  const known = forms.get(pattern)
  if (known !== undefined) return known
  const form = new RegExp(`^(?:${pattern})$`)
  forms.set(pattern, form)
  return form
}

const MAC_PATTERN = '([0-9A-Fa-f][0-9A-Fa-f]:){5}([0-9A-Fa-f][0-9A-Fa-f])'

/**
 * Returns true when two texts are the same value of a parameter, as devices return them: items of a list with or
 * without blanks between them, MAC addresses in either case and with other separators. Without a parameter only the
 * type decides.
 */
export function sameParameterValue(parameter: ModelParameter | undefined, type: string, a: string, b: string): boolean {
  if (sameValue(type, a, b)) return true
  if (parameter === undefined) return false
  const { facets } = parameter
  if (facets.l !== undefined) {
    const [left, right] = [a, b].map((text) => text.split(',').map((item) => item.trim())) as [string[], string[]]
    const { l: _list, ...item } = facets
    const one = { ...parameter, facets: item }
    return left.length === right.length && left.every((text, i) => sameParameterValue(one, type, text, right[i] ?? ''))
  }
  if (facets.p?.includes(MAC_PATTERN) !== true) return false
  const bare = (text: string) => text.replace(/[:.-]/g, '').toUpperCase()
  return bare(a) === bare(b)
}

function inRange(value: number, min: number | null, max: number | null): boolean {
  return (min === null || value >= min) && (max === null || value <= max)
}
