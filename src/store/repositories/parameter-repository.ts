import { splitLeaf } from '../../datamodel/index.ts'
import type { DeviceId, Page, Parameter, ParameterStore } from '../../domain/index.ts'
import { largeValueId, subtreeFilter } from '../commit/parameter-writes.ts'
import { type Collection, type Connection, type Document_, decodedOnce } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'

/** A value that is null is a document of its own. */
type Leaf = Omit<Parameter, 'deviceId' | 'path' | 'type' | 'value'> &
  Partial<Pick<Parameter, 'type'>> & { value: string | null }
type Leaves = Record<string, Leaf>
/** A parameter whose value may still have to be read. */
type Unread = Omit<Parameter, 'value'> & { value: string | null }

/** The parameter trees in MongoDB: one document per object, leaves by name; long values are documents of their own. */
export class ParameterRepository implements ParameterStore {
  readonly #parameters: Collection
  readonly #byId: GroupRead
  readonly #largeById: GroupRead

  constructor(connection: Connection) {
    this.#parameters = connection.collection<Document_>('parameters')
    this.#byId = createGroupRead(this.#parameters)
    this.#largeById = createGroupRead(connection.collection<Document_>('largeValues'))
  }

  async getMany(deviceId: DeviceId, paths: string[]): Promise<Parameter[]> {
    const objects = [...new Set(paths.map((path) => `${deviceId}|${splitLeaf(path).object}`))]
    const found = new Map<string, Unread>()
    for (const document of await Promise.all(objects.map((object) => this.#byId.get(object)))) {
      for (const parameter of document === undefined ? [] : unfold(document)) found.set(parameter.path, parameter)
    }
    return this.#complete(paths.flatMap((path) => found.get(path) ?? []))
  }

  /** Pages end between objects or inside one: the cursor is the last path given out. */
  async list(deviceId: DeviceId, prefix: string, limit: number, cursor?: string): Promise<Page<Parameter>> {
    const last = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString()
    const { object } = subtreeFilter(deviceId, prefix)
    if (last !== undefined && last > prefix) object.$gte = splitLeaf(last).object
    const items: Unread[] = []
    for await (const document of decodedOnce(this.#parameters, { deviceId, object }, { sort: { object: 1 } })) {
      for (const parameter of unfold(document)) {
        if (last !== undefined && document.object === splitLeaf(last).object && parameter.path <= last) continue
        if (items.length >= limit)
          return {
            items: await this.#complete(items),
            next: Buffer.from(items[items.length - 1]?.path ?? '').toString('base64url'),
          }
        items.push(parameter)
      }
    }
    return { items: await this.#complete(items) }
  }

  async inObjects(deviceId: DeviceId, objects: string[]): Promise<Parameter[]> {
    const documents = await Promise.all(objects.map((object) => this.#byId.get(`${deviceId}|${object}`)))
    return this.#complete(documents.flatMap((document) => (document === undefined ? [] : unfold(document))))
  }

  async objects(deviceId: DeviceId, prefix: string, limit: number): Promise<string[]> {
    const found = this.#parameters
      .find(subtreeFilter(deviceId, prefix), { projection: { object: 1 }, batchSize: 5000 })
      .sort({ object: 1 })
      .limit(limit)
    return (await found.toArray()).map(({ object }) => String(object))
  }

  /** With the values that are documents of their own. One that has gone since its object was read is left out. */
  async #complete(parameters: Unread[]): Promise<Parameter[]> {
    // Nearly always: a tree of thousands needs no promise for each.
    if (parameters.every(isComplete)) return parameters
    const complete = await Promise.all(
      parameters.map(async (parameter): Promise<Parameter | undefined> => {
        const { deviceId, path, value } = parameter
        if (value !== null) return { ...parameter, value }
        const document = await this.#largeById.get(largeValueId(deviceId, path))
        return document === undefined ? undefined : { ...parameter, value: String(document.value) }
      }),
    )
    return complete.filter((parameter) => parameter !== undefined)
  }
}

function isComplete(parameter: Unread): parameter is Parameter {
  return parameter.value !== null
}

/** Returns a leaf with its type; the database holds none for a leaf whose type is not known. */
function withType(leaf: Leaf): Omit<Unread, 'deviceId' | 'path'> {
  return { ...leaf, type: leaf.type ?? 'unknown' }
}

function unfold(document: Document_): Unread[] {
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
