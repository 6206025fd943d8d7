import { FAMILIES } from './families.ts'
import type { VendorFamily } from './family.ts'

/** Objects on the way to the WAN: their extension decides before others. */
const WAN_TREES = ['InternetGatewayDevice.WANDevice.', 'Device.Optical.', 'Device.PPP.', 'Device.XPON.']
/** Objects at the root of the tree that hold optical values. */
const OPTICAL_ROOT = /^(?:InternetGatewayDevice|Device)\.X_\w[\w-]{0,63}?(?:optic|pon)/i
const INSTANCES = /\.\d+(?=\.)/g

/**
 * Returns the name of the vendor family of a device, by the extensions of the data model in its own tree: paths of its
 * parameters, in any order. The extensions of the WAN decide, and without one there those of the whole tree; a maker
 * goes before an operator, and more names before fewer. Names below another extension do not count: they are of the
 * object above them. Undefined where no family is known. The maker's name does not count: devices of one maker ship with
 * the firmware of several operators.
 */
export function familyOf(paths: Iterable<string>): string | undefined {
  const inWan = new Map<VendorFamily, Set<string>>()
  const anywhere = new Map<VendorFamily, Set<string>>()
  for (const path of paths) {
    const family = extending(path)
    if (family === undefined) continue
    const schema = path.replace(INSTANCES, '')
    count(anywhere, family, schema)
    if (OPTICAL_ROOT.test(path) || WAN_TREES.some((tree) => path.startsWith(tree))) count(inWan, family, schema)
  }
  return (strongest(inWan) ?? strongest(anywhere))?.name
}

/** Returns the name of the family whose extension the first name of an extension in a path is; undefined for none. */
export function extensionOf(path: string): string | undefined {
  return extending(path)?.name
}

function extending(path: string): VendorFamily | undefined {
  const at = path.indexOf('.X_')
  if (at < 0) return undefined
  const end = path.indexOf('.', at + 1)
  return familyOfName(path.slice(at + 1, end < 0 ? undefined : end))
}

const byName = new Map<string, VendorFamily | undefined>()
/** Names of extensions are few; more than this come from a tree that is none. */
const MAX_NAMES = 5_000

/** Returns the family of the longest prefix that a name begins with. */
function familyOfName(name: string): VendorFamily | undefined {
  if (byName.has(name)) return byName.get(name)
  let best: { family: VendorFamily; length: number } | undefined
  for (const family of FAMILIES)
    for (const prefix of family.prefixes)
      if (name.startsWith(prefix) && prefix.length > (best?.length ?? 0)) best = { family, length: prefix.length }
  if (byName.size < MAX_NAMES) byName.set(name, best?.family)
  return best?.family
}

function count(names: Map<VendorFamily, Set<string>>, family: VendorFamily, schema: string): void {
  const known = names.get(family)
  if (known === undefined) names.set(family, new Set([schema]))
  else known.add(schema)
}

function strongest(names: ReadonlyMap<VendorFamily, ReadonlySet<string>>): VendorFamily | undefined {
  let best: { family: VendorFamily; score: number } | undefined
  for (const family of FAMILIES) {
    const own = names.get(family)?.size ?? 0
    // A maker's names weigh more than all names of operators.
    const score = own === 0 ? 0 : own + (family.kind === 'maker' ? 1e6 : 0)
    if (score > (best?.score ?? 0)) best = { family, score }
  }
  return best?.family
}
