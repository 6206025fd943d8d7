import { MappingRefusal, TRANSFORMS, type TransformContext } from '../../src/datamodel/index.ts'

/** A transform context as plain data: a device with a few values and a few links. */
export interface ContextFacts
  extends Partial<Pick<TransformContext, 'family' | 'position' | 'previous' | 'at' | 'bootAt'>> {
  from?: string
  to?: string
  /** Values of the device's own tree. */
  raw?: Readonly<Record<string, string>>
  /** The times at which some of them were read; others were read now. */
  readAt?: Readonly<Record<string, number>>
  /** TR-181 rows behind objects of the device's own tree. */
  rows?: Readonly<Record<string, readonly string[]>>
  /** Targets of parameters of the device's own tree. */
  parameters?: Readonly<Record<string, string>>
  /** Values of TR-181 as last mapped, and those of the same write. */
  mapped?: Readonly<Record<string, string>>
  requested?: Readonly<Record<string, string>>
}

const tableOf = (row: string) => row.replace(/\.\d+(?=\.)/g, '.{i}').replace(/\{i\}\.$/, '')

/** Returns the context of a transform on a device with these facts; an object and a row are linked both ways. */
export function transformContext(facts: ContextFacts = {}): TransformContext {
  const { raw = {}, rows = {} } = facts
  const values = new Map(Object.entries(raw))
  const links = new Map(Object.entries(rows))
  const parameters = Object.entries(facts.parameters ?? {})
  const mapped = new Map(Object.entries(facts.mapped ?? {}))
  const requested = new Map(Object.entries(facts.requested ?? {}))
  return {
    from: facts.from ?? 'InternetGatewayDevice.DeviceInfo.Value',
    to: facts.to ?? 'Device.DeviceInfo.Value',
    raw: (path) => values.get(path),
    mapped: (path) => mapped.get(path),
    requested: (path) => requested.get(path),
    children(object) {
      const names = Object.keys(raw)
        .filter((path) => path.startsWith(object))
        .map((path) => path.slice(object.length).split('.', 1)[0] ?? '')
      return [...new Set(names)].sort((a, b) => Number(a) - Number(b))
    },
    targetOf(object, below) {
      const own = links.get(object) ?? []
      const found = below === undefined ? own[0] : own.find((row) => tableOf(row) === tableOf(`${below}0.`))
      if (found !== undefined || below === undefined) return found
      const outer = object.slice(0, object.lastIndexOf('.', object.length - 2) + 1)
      return outer === '' ? undefined : this.targetOf(outer, below)
    },
    sourcesOf: (row) => [...links].filter(([, own]) => own.includes(row)).map(([object]) => object),
    targetOfParameter: (path) => parameters.find(([source]) => source === path)?.[1],
    sourceOfParameter: (path) => parameters.find(([, target]) => target === path)?.[0],
    once: (_key, make) => make(),
    position: facts.position ?? 0,
    family: facts.family,
    previous: facts.previous,
    at: facts.at ?? Date.UTC(2026, 0, 1),
    readAt: (path) => facts.readAt?.[path] ?? facts.at ?? Date.UTC(2026, 0, 1),
    bootAt: facts.bootAt,
  }
}

/** Returns the value in TR-181 that a transform reads. */
export function readBy(name: string, raw: string, facts?: ContextFacts): string | undefined {
  return transformOf(name).read(raw, transformContext(facts))
}

/** Returns what a transform writes: path and value, or the value alone where it writes the source and no more. */
export function writtenBy(
  name: string,
  value: string,
  facts?: ContextFacts,
): string | Record<string, string> | undefined {
  const context = transformContext(facts)
  const writes = transformOf(name).write?.(value, context)
  if (writes?.length === 1 && writes[0]?.path === context.from) return writes[0].value
  return writes && Object.fromEntries(writes.map((write) => [write.path, write.value]))
}

/** Returns the refusal of a write; undefined when it is none. */
export function refusedBy(name: string, value: string, facts?: ContextFacts): MappingRefusal | undefined {
  try {
    transformOf(name).write?.(value, transformContext(facts))
    return undefined
  } catch (error) {
    if (error instanceof MappingRefusal) return error
    throw error
  }
}

/** Returns a transform by its name. */
export function transformOf(name: string) {
  const transform = TRANSFORMS.get(name)
  if (transform === undefined) throw new Error(`no transform ${name}`)
  return transform
}
