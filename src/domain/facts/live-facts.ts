import type { Timestamp } from '../timestamp.ts'

/** Connection states (TR-181 `PPP.Interface.{i}.ConnectionStatus`), in its words. */
export const WAN_STATES = [
  'Unconfigured',
  'Connecting',
  'Authenticating',
  'Connected',
  'PendingDisconnect',
  'Disconnecting',
  'Disconnected',
] as const
export type WanState = (typeof WAN_STATES)[number]

/** Bands of the optical level that is received: good, weak, very weak, none, too strong. */
export const OPTICAL_HEALTH = ['good', 'warning', 'critical', 'noLight', 'overload'] as const
export type OpticalHealth = (typeof OPTICAL_HEALTH)[number]

/** The parameter that each fact was read from, by the name of the fact. */
export type FactSources = Record<string, string>

/** The internet connection of a device. */
interface WanFacts {
  /** The IP interface that is the internet connection, or its PPP interface where no IP interface is known. */
  interface?: string
  state?: WanState
  /** `PPP.Interface.{i}.LastConnectionError`; absent when there was none. */
  lastError?: string
  ipAddress?: string
  /** With colons, in capitals. */
  macAddress?: string
  pppUser?: string
  vlanId?: number
  /** The connection is up since then; absent while it is not. */
  upSince?: Timestamp
  sources?: FactSources
}

/** The optical line of a device; powers in dBm. */
interface OpticalFacts {
  rxPowerDbm?: number
  txPowerDbm?: number
  /** By the received power. */
  health?: OpticalHealth
  /** Of the transceiver, in degrees Celsius. */
  temperatureC?: number
  sources?: FactSources
}

/** The networks of a device by Wi-Fi. */
interface WifiFacts {
  /** Of all SSIDs that are enabled. */
  ssids?: string[]
  ssids2g?: string[]
  ssids5g?: string[]
  ssids6g?: string[]
  /** Stations that are associated. */
  stations?: number
  sources?: FactSources
}

/** The network at home. */
interface LanFacts {
  activeHosts?: number
  sources?: FactSources
}

/** The device as a computer. */
interface SystemFacts {
  /** The last start, worked out from the uptime. */
  upSince?: Timestamp
  cpuPercent?: number
  memoryTotalKib?: number
  memoryFreeKib?: number
  memoryUsedPercent?: number
  sources?: FactSources
}

/**
 * Facts of the record that are derived from parameters of TR-181, and change with them in one commit. A fact without a
 * plausible reading is absent.
 */
export interface LiveFacts {
  wan?: WanFacts
  optical?: OpticalFacts
  wifi?: WifiFacts
  lan?: LanFacts
  system?: SystemFacts
}

export const FACT_GROUPS = ['wan', 'optical', 'wifi', 'lan', 'system'] as const satisfies readonly (keyof LiveFacts)[]
export type FactGroup = (typeof FACT_GROUPS)[number]

/** Fields of facts by dotted name, as a patch of the record has them. */
export type LiveFactsPatch = { [K in keyof WanFacts as `wan.${K}`]?: WanFacts[K] } & {
  [K in keyof OpticalFacts as `optical.${K}`]?: OpticalFacts[K]
} & { [K in keyof WifiFacts as `wifi.${K}`]?: WifiFacts[K] } & {
  [K in keyof LanFacts as `lan.${K}`]?: LanFacts[K]
} & { [K in keyof SystemFacts as `system.${K}`]?: SystemFacts[K] }

export type LiveFactField = keyof LiveFactsPatch
