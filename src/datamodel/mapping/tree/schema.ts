/** A path taken apart at its instance numbers. */
export interface Scan {
  /** The path as a model has it, `{i}` for each instance number. */
  schema: string
  /** For each instance number the length of the path up to the dot behind it: `Device.A.1.B` has 11 for `Device.A.1.`. */
  cuts: readonly number[]
}

const ZERO = 48
const NINE = 57
const DOT = 46
/** Instance numbers have up to ten digits (unsignedInt, TR-106 2.2); longer ones name no object. */
const MAX_DIGITS = 10

/** Takes a path apart in one pass, without a regular expression: every reported value comes through here. */
export function scanPath(path: string): Scan {
  let schema = ''
  let copied = 0
  const cuts: number[] = []
  for (let at = path.indexOf('.'); at >= 0; at = path.indexOf('.', at + 1)) {
    let end = at + 1
    while (end < path.length) {
      const code = path.charCodeAt(end)
      if (code < ZERO || code > NINE) break
      end++
    }
    if (end === at + 1 || end - at > MAX_DIGITS || path.charCodeAt(end) !== DOT) continue
    schema += `${path.slice(copied, at + 1)}{i}`
    copied = end
    cuts.push(end + 1)
    at = end - 1
  }
  return { schema: copied === 0 ? path : schema + path.slice(copied), cuts }
}

/** Objects of all devices whose scan is kept: those of one model and firmware have the same paths. */
const MAX_KNOWN_OBJECTS = 20_000
const knownObjects = new Map<string, Scan>()

/** The object of either tree that was looked up last: the next parameter is often of the same one. */
const latest: { object: string; scan: Scan }[] = []

/** The same for an object path (ends in a dot); each is taken apart once, as many parameters lie in it. */
export function scanObject(object: string): Scan {
  const place = object.startsWith('Device.') ? 0 : 1
  const last = latest[place]
  if (last?.object === object) return last.scan
  const scan = knownObjects.get(object) ?? scanNew(object)
  latest[place] = { object, scan }
  return scan
}

function scanNew(object: string): Scan {
  const scan = scanPath(object)
  if (knownObjects.size >= MAX_KNOWN_OBJECTS) knownObjects.clear()
  knownObjects.set(object, scan)
  return scan
}

/** Returns the table part of a schema path, `{i}.` at its end; '' where it lies in no table. */
export function tableOf(schema: string): string {
  const at = schema.lastIndexOf('{i}.')
  return at < 0 ? '' : schema.slice(0, at + 4)
}

/** Returns the table that holds this table: `A.{i}.B.{i}.` -> `A.{i}.`; '' for one at the top. */
export function outerTable(table: string): string {
  return tableOf(table.slice(0, -4))
}

/** Returns the number of instances in a schema path. */
export function depthOf(schema: string): number {
  let depth = 0
  for (let at = schema.indexOf('{i}'); at >= 0; at = schema.indexOf('{i}', at + 3)) depth++
  return depth
}

/** Returns the instance number at the end of an object path: `Device.A.12.` -> `12`. */
export function lastNumber(object: string): string {
  return object.slice(object.lastIndexOf('.', object.length - 2) + 1, -1)
}

/** Returns the object of a path, up to its last dot. */
export function objectOf(path: string): string {
  return path.slice(0, path.lastIndexOf('.') + 1)
}
