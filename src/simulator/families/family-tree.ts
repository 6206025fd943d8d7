import type { Model, ModelObject, ModelParameter } from '../../datamodel/index.ts'
import { ownParameter, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import { InstanceTree, TreeView } from '../../tree/index.ts'
import type { DeviceFamily, FamilyContent, LivingTime } from './family.ts'
import type { Home } from './home.ts'

/** The tree of a device of a family, with what changes by itself. */
interface FamilyDevice {
  tree: InstanceTree
  cwmp: TreeView
  /** Canonical path -> the value at a time. */
  living: ReadonlyMap<string, (time: LivingTime) => string>
}

/** The parts that all devices of a family share: their model, and the parameters that each object has. */
interface Shape {
  model: Model
  supported: ReadonlyMap<string, readonly string[]>
}

/** A fleet has thousands of devices of a dozen families. */
const shapes = new WeakMap<DeviceFamily, Shape>()

/** Returns the tree of one device of a family over the standard model of its root. */
export function familyDevice(family: DeviceFamily, home: Home, standard: Model, softwareVersion: string): FamilyDevice {
  const content = family.tree(home)
  const { model, supported } = shapes.get(family) ?? shapeOf(family, content, standard)
  const tree = new InstanceTree(supported, () => model)
  const living = new Map<string, (time: LivingTime) => string>()
  for (const [object, values] of Object.entries(content)) {
    for (const path of objectsDownTo(family.root + object)) if (!tree.hasObject(path)) tree.instantiate(path)
    if (object.includes('{i}')) continue
    for (const [name, given] of Object.entries(values)) {
      const path = `${family.root}${object}${name}`
      tree.put(path, typeof given === 'string' ? given : given.value)
      if (typeof given !== 'string' && given.lives !== undefined) living.set(path, given.lives)
    }
  }
  countRows(tree, model)
  tree.put(`${family.root}DeviceInfo.SoftwareVersion`, softwareVersion)
  return { tree, cwmp: new TreeView(tree, model), living }
}

function shapeOf(family: DeviceFamily, content: FamilyContent, standard: Model): Shape {
  const supported = new Map<string, string[]>()
  for (const [object, values] of Object.entries(content)) {
    const schema = schemaPathOf(family.root + object)
    supported.set(schema, [...new Set([...(supported.get(schema) ?? []), ...Object.keys(values)])])
  }
  const shape = { model: modelWith(standard, family, content), supported }
  shapes.set(family, shape)
  return shape
}

/** Writes the numbers of entries that the device shows. */
function countRows(tree: InstanceTree, model: Model): void {
  for (const schema of tree.supported.keys()) {
    const count = model.objects.get(schema)?.count
    if (count === undefined) continue
    const name = /\.([^.]+)\.\{i\}\.$/.exec(schema)?.[1]
    for (const parent of [...tree.objects()])
      if (schemaPathOf(`${parent}${name}.1.`) === schema && tree.raw(parent + count) !== undefined)
        tree.put(parent + count, String(tree.instances(`${parent}${name}.`).length))
  }
}

/** Returns the objects from the root down to this one; of a table without rows, those above it. Tables themselves are none. */
function objectsDownTo(object: string): string[] {
  const found: string[] = []
  for (let dot = object.indexOf('.'); dot >= 0; dot = object.indexOf('.', dot + 1)) {
    const path = object.slice(0, dot + 1)
    if (path.includes('{i}')) break
    if (!/^(\d+|\{i\})\./.test(object.slice(dot + 1))) found.push(path)
  }
  return found
}

/** Returns the standard model with the objects and parameters that a vendor has of its own. */
function modelWith(standard: Model, { root, ownTables = [] }: DeviceFamily, content: FamilyContent): Model {
  const writable = new Set(ownTables.map((table) => root + table))
  const own = new Map<string, Map<string, ModelParameter>>()
  const objects = new Set<string>()
  for (const [object, values] of Object.entries(content)) {
    for (const path of objectsDownTo(root + object)) objects.add(schemaPathOf(path))
    const schema = schemaPathOf(root + object)
    objects.add(schema)
    const params = own.get(schema) ?? new Map<string, ModelParameter>()
    for (const [name, given] of Object.entries(values)) {
      const known = standard.parameter(root + object + name) !== undefined
      if (typeof given !== 'string') params.set(name, ownParameter(name, given.type, given.writable))
      else if (!known && !params.has(name)) params.set(name, ownParameter(name, 'string', false))
    }
    own.set(schema, params)
  }
  const known = new Map(standard.objects)
  for (const schema of objects)
    known.set(schema, mergedObject(schema, standard.objects.get(schema), own.get(schema), writable.has(schema)))
  const find = (path: string) => {
    const schema = schemaPathOf(path)
    return known.get(schema) ?? known.get(`${schema}{i}.`)
  }
  return {
    name: standard.name,
    uri: standard.uri,
    objects: known,
    object: find,
    parameter(path) {
      const { object, leaf } = splitLeaf(path)
      return known.get(schemaPathOf(object))?.params.get(leaf)
    },
    command: (path) => standard.command(path),
  }
}

function mergedObject(
  path: string,
  standard: ModelObject | undefined,
  own: ReadonlyMap<string, ModelParameter> = new Map(),
  isWritable = false,
): ModelObject {
  const params = new Map([...(standard?.params ?? []), ...own])
  if (standard !== undefined) return { ...standard, params }
  const table = path.endsWith('{i}.')
  return {
    path,
    access: isWritable ? 'w' : 'r',
    since: '',
    table,
    keys: [],
    params,
    commands: new Map(),
    events: new Map(),
  }
}
