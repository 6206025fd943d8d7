import type { CwmpVersion, RootObject } from '../../cwmp/index.ts'
import type { BaseType } from '../../datamodel/index.ts'
import type { Home } from './home.ts'

/** The time as values that change by themselves see it. */
export interface LivingTime {
  /** Seconds since the boot. */
  upS: number
  /** Seconds since the internet connection came up; 0 while it is down. */
  connectedS: number
}

/** A parameter that its vendor added, or types or names otherwise than the standard. */
interface OwnParameter {
  value: string
  type: BaseType
  writable: boolean
  /** The value as it is read, where it changes by itself. */
  lives?: (time: LivingTime) => string
}

/** Values of one object. A text is a value of a standard parameter, with the type and rights of the standard. */
export type ObjectContent = Record<string, string | OwnParameter>

/** The tree of a device: object path below the root, with a dot at its end -> values. Rows have their number. */
export type FamilyContent = Record<string, ObjectContent>

/** The internet connection of a device, by which it is lost and comes again. Paths below the root. */
export interface LivingConnection {
  status: string
  addresses: readonly string[]
  error?: string
}

/** Faults that all devices of a family have. */
type Habit =
  | 'booleanLiterals'
  | 'dynamicRows'
  | 'fixedWifiModes'
  | 'maskedSecrets'
  | 'newConnections'
  | 'onlyStrings'
  | 'radioLies'
  | 'routerosSoap'
  | 'ssidRestarts'
  | 'wholeTreeTimesOut'

/** The devices of one vendor with one software: their tree, and their habits. */
export interface DeviceFamily {
  /** A sentence for people. */
  sentence: string
  root: RootObject
  manufacturer: string
  oui: string
  productClass: string
  model: string
  hardwareVersion: string
  softwareVersions: readonly [string, ...string[]]
  /** Of CWMP. */
  version: CwmpVersion
  /** The serial number of the n-th device of a fleet. */
  serial(seed: number, index: number): string
  /** Departures from the standards that all its devices have; they do not count as faults of one. */
  habits?: readonly Habit[]
  tree(home: Home): FamilyContent
  connection?: LivingConnection
  /** The beginning of the addresses at home; default `192.168.1.`. */
  lanPrefix?: string
  /** Tables of the vendor whose rows can be added and deleted, below the root. */
  ownTables?: readonly string[]
  /** Its firmware comes as packages of an architecture, which a descriptor lists (RouterOS). Each has to be listed. */
  packages?: { architecture: string; names: readonly string[] }
  /** The profile of emulated routers whose menus its scripts change (RouterOS). */
  routerProfile?: 'v6.49' | 'v7.18'
}

/** The names and versions of a family. */
export type Identity = Pick<
  DeviceFamily,
  'manufacturer' | 'oui' | 'productClass' | 'model' | 'hardwareVersion' | 'softwareVersions'
>

/** Returns the values of DeviceInfo that both roots have. */
export function identityOf(family: Identity, home: Home): ObjectContent {
  return {
    Manufacturer: family.manufacturer,
    ManufacturerOUI: family.oui,
    ModelName: family.model,
    ProductClass: family.productClass,
    SerialNumber: home.serial,
    HardwareVersion: family.hardwareVersion,
    SoftwareVersion: family.softwareVersions[0],
    ProvisioningCode: '',
    UpTime: '1',
  }
}

/** The values of ManagementServer that both roots have. */
export const MANAGEMENT: ObjectContent = {
  URL: '',
  Username: '',
  Password: '',
  PeriodicInformEnable: 'true',
  PeriodicInformInterval: '300',
  PeriodicInformTime: '0001-01-01T00:00:00Z',
  ParameterKey: '',
  ConnectionRequestURL: '',
  ConnectionRequestUsername: '',
  ConnectionRequestPassword: '',
}

/** A read-only parameter of the vendor. */
export function r(value: string | number, type: BaseType = 'string'): OwnParameter {
  return { value: String(value), type, writable: false }
}

/** A writable parameter of the vendor. */
export function w(value: string | number, type: BaseType = 'string'): OwnParameter {
  return { value: String(value), type, writable: true }
}

/** Numbers of TR-098 are 32 bits wide. */
const WRAP = 2 ** 32

/** A counter of TR-098 that grows while the connection is up, and wraps. It begins near its end on some devices. */
export function counter32(home: Home, perSecond: number): OwnParameter {
  const begin = Math.floor(home.part(`counter${perSecond}`) * WRAP)
  const at = (seconds: number) => String((begin + Math.floor(seconds * perSecond)) % WRAP)
  return { ...r(at(0), 'unsignedInt'), lives: ({ upS }) => at(upS) }
}

/** A counter of 64 bits. */
export function counter64(home: Home, perSecond: number): OwnParameter {
  const begin = Math.floor(home.part(`counter${perSecond}`) * 2 ** 40)
  const at = (seconds: number) => String(begin + Math.floor(seconds * perSecond))
  return { ...r(at(0), 'unsignedLong'), lives: ({ upS }) => at(upS) }
}

/** Seconds for which the connection is up. */
export const connectedSeconds: OwnParameter = {
  ...r('0', 'unsignedInt'),
  lives: ({ connectedS }) => String(Math.floor(connectedS)),
}

/** A level that moves a little around a middle; `form` is the encoding of the vendor. */
export function moving(
  home: Home,
  middle: number,
  spread: number,
  form: (level: number) => string,
  type: BaseType = 'string',
): OwnParameter {
  const phase = home.part('phase') * 2 * Math.PI
  const at = (seconds: number) => form(middle + spread * Math.sin(phase + seconds / 90))
  return { ...r(at(0), type), lives: ({ upS }) => at(upS) }
}

/** A level in dBm as whole tenths of a microwatt. */
export function tenthsOfMicrowatt(dbm: number): string {
  return String(Math.round(10 ** (dbm / 10 + 4)))
}

/** A temperature in degrees as 1/256 degrees. */
export function in256ths(celsius: number): string {
  return String(Math.round(celsius * 256))
}
