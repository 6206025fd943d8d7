/** Classes of devices: what a device is to the person who has it. */
export const DEVICE_CLASSES = ['router', 'ont', 'dsl', 'meshAp', 'stb', 'camera', 'other'] as const
export type DeviceClass = (typeof DEVICE_CLASSES)[number]

/** Optical values below an extension. */
const OPTICAL = /^(WANDevice\.\d+\.)?X_[^.]*(PON|Optical)[^.]*\.([^.]+\.)*(RXPower|Status|OpticalSignalLevel)$/i
/** Parameters below either root that only devices of a class have, the strongest class first. */
const OBJECTS: readonly [RegExp, DeviceClass][] = [
  [/^Services\.STBService\.\d+\.Enable$/, 'stb'],
  [/^(XPON\.ONU|Optical\.Interface)\.\d+\.(Enable|Status)$/, 'ont'],
  [OPTICAL, 'ont'],
  [/^DSL\.(Line|Channel)\.\d+\.(Enable|Status)$/, 'dsl'],
  [/^WANDevice\.\d+\.WANDSLInterfaceConfig\.(Enable|Status)$/, 'dsl'],
]
const ACCESS = /^WANDevice\.\d+\.WANCommonInterfaceConfig\.WANAccessType$/
const BACKHAUL = /^WiFi\.DataElements\.Network\.Device\.\d+\.MultiAPDevice\.Backhaul\.LinkType$/
/** Parameters of devices between a home and the network. */
const ROUTING = [
  /^WANDevice\.\d+\.WANConnectionDevice\.\d+\.WAN(IP|PPP)Connection\.\d+\.ExternalIPAddress$/,
  /^NAT\.(PortMappingNumberOfEntries|InterfaceSettingNumberOfEntries|InterfaceSetting\.\d+\.Enable)$/,
  /^PPP\.Interface\.\d+\.ConnectionStatus$/,
  /^DHCPv4\.Server\.Pool\.\d+\.Enable$/,
]
/** Words of product classes and models, for devices whose objects say nothing more. */
const WORDS: readonly [RegExp, DeviceClass][] = [
  [/camera|ip-?cam|\bcam\b/i, 'camera'],
  [/set-?top|\bstb|stb\b|iptv|decoder/i, 'stb'],
  [/mesh|repeater|extender|twibi|\bdeco\b|access[ -]?point|\bap\b/i, 'meshAp'],
  [/\bon[tu]\b|[gex]pon|\bpon\b/i, 'ont'],
  [/[avx]dsl|\bdsl\b/i, 'dsl'],
  [/router|gateway|homegate/i, 'router'],
]

/** Makers of routers alone: the optical interface of such a device is a module in one of its ports. */
const ROUTERS = /^mikrotik$/i

/** The class that parameters of a device speak for, and how surely. */
export interface ClassEvidence {
  class: DeviceClass
  /** 3: an object of that class alone; 2: the name of the device; 1: it routes; 0: none. */
  weight: 0 | 1 | 2 | 3
}

/** The beginnings of all of these; most parameters of a tree have another one. */
const BEGINNING = /^(WANDevice\.|X_|XPON\.|Optical\.|DSL\.|NAT\.|PPP\.|DHCPv4\.|Services\.STB|WiFi\.DataElements\.)/

const NONE: ClassEvidence = { class: 'other', weight: 0 }

/** Returns true when the class of a device can follow from this parameter; the path is below the root. */
export function bearsClass(rest: string): boolean {
  // A tree may have thousands of these.
  if (rest.startsWith('X_')) return OPTICAL.test(rest)
  return (
    BEGINNING.test(rest) &&
    (ACCESS.test(rest) ||
      BACKHAUL.test(rest) ||
      OBJECTS.some(([pattern]) => pattern.test(rest)) ||
      ROUTING.some((pattern) => pattern.test(rest)))
  )
}

/** Returns the stronger one of the evidence so far and that of one parameter below the root. */
export function withEvidence(
  before: ClassEvidence | undefined,
  rest: string,
  value: string,
): ClassEvidence | undefined {
  const found = evidenceOf(rest, value)
  if (found === undefined || before === undefined) return found ?? before
  if (found.weight !== before.weight) return found.weight > before.weight ? found : before
  return strength(found.class) < strength(before.class) ? found : before
}

function evidenceOf(rest: string, value: string): ClassEvidence | undefined {
  if (!BEGINNING.test(rest)) return undefined
  const known = OBJECTS.find(([pattern]) => pattern.test(rest))?.[1]
  if (known !== undefined) return { class: known, weight: 3 }
  if (ACCESS.test(rest)) {
    if (/pon|fiber/i.test(value)) return { class: 'ont', weight: 3 }
    return /dsl/i.test(value) ? { class: 'dsl', weight: 3 } : { class: 'router', weight: 1 }
  }
  if (BACKHAUL.test(rest)) return /^(none)?$/i.test(value.trim()) ? undefined : { class: 'meshAp', weight: 2 }
  return ROUTING.some((pattern) => pattern.test(rest)) ? { class: 'router', weight: 1 } : undefined
}

/** Of two classes with objects of their own, the one that says more: a terminal of fibre may have DSL objects. */
function strength(one: DeviceClass): number {
  const at = OBJECTS.findIndex(([, known]) => known === one)
  return at < 0 ? OBJECTS.length : at
}

/** The facts of a record that its class is decided by. */
interface Classified {
  manufacturer: string | undefined
  productClass: string | undefined
  model: string | undefined
  deviceClass: DeviceClass | undefined
  optical: object | undefined
}

/**
 * Returns the class of a device after new evidence: objects decide, then the words of its names, then that it routes.
 * A class never gives way to weaker evidence, because a message shows few parameters of a tree.
 */
export function deviceClassOf(device: Classified, evidence: ClassEvidence = NONE): DeviceClass {
  if (ROUTERS.test(device.manufacturer ?? '')) return 'router'
  const known: ClassEvidence = device.optical === undefined ? NONE : { class: 'ont', weight: 3 }
  const name = `${device.productClass ?? ''} ${device.model ?? ''}`.replaceAll('_', ' ')
  const word = WORDS.find(([pattern]) => pattern.test(name))?.[1]
  const named: ClassEvidence = word === undefined ? NONE : { class: word, weight: 2 }
  const best = [evidence, known, named].reduce((one, other) => (other.weight > one.weight ? other : one))
  const before = device.deviceClass
  if (before === undefined || before === 'other' || best.weight === 3) return best.weight > 0 ? best.class : 'other'
  // A router that shows what it is, or one that has another name than before.
  return before === 'router' && best.weight === 2 ? best.class : before
}
