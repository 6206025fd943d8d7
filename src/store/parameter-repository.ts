import { splitLeaf } from '../datamodel/index.ts'
import type { DeviceId, Page, Parameter, ParameterStore } from '../device/index.ts'
import { subtreeFilter } from './changes.ts'
import { createGroupRead, type GroupRead } from './group-read.ts'
import type { Collection, Connection, Document_ } from './mongoose.ts'

type Leaf = Omit<Parameter, 'deviceId' | 'path' | 'type'> & Partial<Pick<Parameter, 'type'>>
type Leaves = Record<string, Leaf>

/** The parameter trees in MongoDB: one document per object, leaves by name. */
export class ParameterRepository implements ParameterStore {
  readonly #parameters: Collection
  readonly #byId: GroupRead

  constructor(connection: Connection) {
    this.#parameters = connection.collection<Document_>('parameters')
    this.#byId = createGroupRead(this.#parameters)
  }

  async getMany(deviceId: DeviceId, paths: string[]): Promise<Parameter[]> {
    const objects = [...new Set(paths.map((path) => `${deviceId}|${splitLeaf(path).object}`))]
    const found = new Map<string, Parameter>()
    for (const document of await Promise.all(objects.map((object) => this.#byId.get(object)))) {
      for (const parameter of document === undefined ? [] : unfold(document)) found.set(parameter.path, parameter)
    }
    return paths.flatMap((path) => found.get(path) ?? [])
  }

  /** Pages end between objects or inside one: the cursor is the last path given out. */
  async list(deviceId: DeviceId, prefix: string, limit: number, cursor?: string): Promise<Page<Parameter>> {
    const last = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString()
    const { object } = subtreeFilter(deviceId, prefix)
    if (last !== undefined && last > prefix) object.$gte = splitLeaf(last).object
    const items: Parameter[] = []
    const found = this.#parameters.find({ deviceId, object }).sort({ object: 1 })
    try {
      for await (const document of found) {
        for (const parameter of unfold(document)) {
          if (last !== undefined && document.object === splitLeaf(last).object && parameter.path <= last) continue
          if (items.length >= limit)
            return { items, next: Buffer.from(items[items.length - 1]?.path ?? '').toString('base64url') }
          items.push(parameter)
        }
      }
    } finally {
      await found.close()
    }
    return { items }
  }
}

/** A leaf whose type nobody has told yet has none in the database. */
function withType(leaf: Leaf): Omit<Parameter, 'deviceId' | 'path'> {
  return { ...leaf, type: leaf.type ?? 'unknown' }
}

function unfold(document: Document_): Parameter[] {
  const object = String(document.object)
  const leaves = document.leaves as Leaves
  return Object.keys(leaves)
    .sort()
    .map((name) => ({
      deviceId: document.deviceId as DeviceId,
      path: object + name,
      ...withType(leaves[name] as Leaf),
    }))
}
