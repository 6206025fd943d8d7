import { type Clock, errorText, type Log, type Random } from '../base/index.ts'
import type { CwmpVersion } from '../cwmp/index.ts'
import { deviceIdOf, encodePart } from '../domain/index.ts'
import { Codec } from '../usp/index.ts'
import { loadPresetModels } from './device-presets.ts'
import { DEVICE_FAMILIES, type DeviceFamily, FAMILY_NAMES, type FamilyName, homeOf } from './families/index.ts'
import type { Fault } from './faults.ts'
import { entryOf, Flash, replay } from './flash.ts'
import { KeptNotifies } from './kept-notifies.ts'
import { type ServerAddresses, SIMULATED_KINDS, SimulatedDevice, type SimulatedKind } from './simulated-device.ts'

/** The plain device of a kind, or a device of the field of a family. */
export type FleetItem = SimulatedKind | FamilyName

/** Number of devices of each kind and family; none of those that are left out. */
export type FleetMix = Partial<Record<FleetItem, number>>

export interface FleetOptions {
  mix: FleetMix
  /** Every n-th device of the kinds below has a fault, in turn; 0 = none. */
  faultEvery: number
  /** The kinds that can have faults; default: dual-stack devices. */
  faultKinds?: readonly SimulatedKind[]
  /** The faults in the order in which devices get them; a list gives several to one device. */
  faults?: readonly (Fault | readonly Fault[])[]
  seed: number
  servers: ServerAddresses
  /** Address for the connection request listeners of the devices; default 127.0.0.1. */
  listenHost?: string
  /** Folder for the flash memory of the devices; undefined: it is not kept. */
  stateDir?: string
  timeScale: number
  informIntervalS: number
  /** Milliseconds between the starts of two devices. */
  staggerMs: number
  clock: Clock
  random: Random
  log: Log
}

/** A device as other processes know it. */
interface SimulatedSummary {
  deviceId: string
  kind: SimulatedKind
  family?: FamilyName
  faults: Fault[]
}

/** Faults in the order in which devices get them. */
const DEALT: readonly Fault[] = [
  'slow',
  'neverOnboards',
  'fault9002',
  'rejectsWrite',
  'dropsLink',
  'wrongEndpointId',
  'powerLoss',
  'noCookies',
  'emptyTypes',
  'noTimer',
  'dropsSession',
  'allStrings',
  'cutsBatches',
  'newConnections',
  'ghosts',
  'authAfter401',
  'emptyTable9005',
  'noRebootEvent',
  'booleanLiterals',
]

interface Make {
  manufacturer: string
  oui: string
  productClass: string
  model: string
  /** Of CWMP. */
  version: CwmpVersion
}

/** Makes and models of the fleet; class names have hyphen and space as in the field. */
const MAKES: Record<SimulatedKind, Make> = {
  legacyTr098: { manufacturer: 'Oldham', oui: '00A0C5', productClass: 'HomeGate', model: 'HG-520', version: '1.0' },
  tr181NoAgent: {
    manufacturer: 'Marsh Networks',
    oui: '001349',
    productClass: 'VX 200',
    model: 'VX200',
    version: '1.2',
  },
  dualStack: { manufacturer: 'Northbridge', oui: '0C96BF', productClass: 'NB-7', model: 'NB-7', version: '1.4' },
  uspOnly: { manufacturer: 'Kestrel', oui: '5C3A45', productClass: 'Kestrel_One', model: 'One', version: '1.4' },
}

/** Hundreds of simulated devices in one process, the same ones for the same seed. */
export class Fleet {
  readonly devices: SimulatedDevice[] = []
  readonly #options: FleetOptions
  readonly #flash: Flash | undefined
  readonly #notifies: KeptNotifies | undefined
  #stopped = false
  #compact: NodeJS.Timeout | undefined

  constructor(options: FleetOptions) {
    this.#options = options
    this.#flash = options.stateDir === undefined ? undefined : new Flash(options.stateDir)
    this.#notifies = options.stateDir === undefined ? undefined : new KeptNotifies(options.stateDir, options.log)
    const models = loadPresetModels()
    const codec = new Codec()
    for (const kind of SIMULATED_KINDS)
      for (let i = 0; i < (options.mix[kind] ?? 0); i++) this.devices.push(this.#make(kind, i, models, codec))
    for (const family of FAMILY_NAMES)
      for (let i = 0; i < (options.mix[family] ?? 0); i++) this.devices.push(this.#makeOf(family, i, models, codec))
    if (this.#flash !== undefined) this.#restore(this.#flash)
  }

  /** Switches the devices on one after the other; resolves when all are on. `onProgress` gets their number. */
  async start(onProgress: (on: number) => void = () => undefined): Promise<void> {
    this.#compact = setInterval(() => this.#flash?.full === true && this.#writeWhole(), 5000)
    this.#compact.unref()
    for (const [i, device] of this.devices.entries()) {
      if (this.#stopped) return
      device.start()
      onProgress(i + 1)
      if (this.#options.staggerMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#options.staggerMs))
    }
  }

  stop(graceful: boolean): void {
    this.#stopped = true
    clearInterval(this.#compact)
    for (const device of this.devices) device.stop(graceful)
    this.#writeWhole()
    this.#flash?.close()
    this.#notifies?.close()
  }

  summary(): SimulatedSummary[] {
    return this.devices.map((device) => ({
      deviceId: idOf(device),
      kind: device.kind,
      ...(device.field === undefined ? {} : { family: device.field.name }),
      faults: [...device.faults],
    }))
  }

  /** Restores each device as it was when the process ended, whatever ended it; from here on its changes are kept. */
  #restore(flash: Flash): void {
    const { devices: saved, entries } = flash.load()
    const byId = new Map(this.devices.map((device) => [idOf(device), device]))
    for (const [id, device] of byId) {
      const state = saved[id]
      if (state !== undefined) device.load(state)
    }
    for (const entry of entries) {
      const device = byId.get(entry.device)
      if (device === undefined) continue
      if ('whole' in entry) device.load(entry.whole)
      else if ('state' in entry) device.loadState(entry.state)
      else replay(device.tree, entry)
    }
    for (const device of this.devices) device.aim()
    this.#writeWhole()
    for (const [id, device] of byId) this.#keep(flash, id, device)
  }

  /** Writes each change of a device to the log before the device answers for it. */
  #keep(flash: Flash, id: string, device: SimulatedDevice): void {
    const append = (entry: Parameters<Flash['append']>[0]) => {
      try {
        if (!this.#stopped) flash.append(entry)
      } catch (error) {
        // A full disk of this machine does not stop the devices: the fleet goes on in memory.
        this.#options.log.error({ reason: errorText(error) }, 'the state of the devices cannot be written')
      }
    }
    device.tree.onChange((change) => append(entryOf(id, change)))
    device.onState = (whole) =>
      append(whole ? { device: id, whole: device.save() } : { device: id, state: device.saveState() })
  }

  #writeWhole(): void {
    this.#flash?.writeWhole(
      (function* (devices: readonly SimulatedDevice[]) {
        for (const device of devices)
          yield [idOf(device), device.save()] as [string, ReturnType<SimulatedDevice['save']>]
      })(this.devices),
    )
  }

  #make(
    kind: SimulatedKind,
    index: number,
    models: ReturnType<typeof loadPresetModels>,
    codec: Codec,
  ): SimulatedDevice {
    const { seed } = this.#options
    const make = MAKES[kind]
    // One serial number is not plain ASCII, as in every real fleet.
    const serial =
      kind === 'tr181NoAgent' && index === 0
        ? `VX ${seed}é%1`
        : `${kind.slice(0, 2).toUpperCase()}${seed}${String(index).padStart(5, '0')}`
    const endpointId = `ops::${make.oui}-${encodePart(make.productClass)}-${encodePart(serial)}`
    return new SimulatedDevice({
      ...this.#options,
      kind,
      facts: {
        ...make,
        serial,
        modelName: make.model,
        hardwareVersion: 'A2',
        softwareVersion: index % 3 === 0 ? '1.9.4' : '1.10.1',
      },
      faults: this.#faultsOf(kind, index),
      endpointId,
      notifyStore: this.#notifies?.storeOf(endpointId),
      models,
      codec,
      cwmpVersion: make.version,
      listenHost: this.#options.listenHost ?? '127.0.0.1',
    })
  }

  #makeOf(name: FamilyName, index: number, models: ReturnType<typeof loadPresetModels>, codec: Codec): SimulatedDevice {
    const family: DeviceFamily = DEVICE_FAMILIES[name]
    const serial = family.serial(this.#options.seed, index)
    const kind = family.root === 'Device.' ? 'tr181NoAgent' : 'legacyTr098'
    const [newest, ...older] = family.softwareVersions
    return new SimulatedDevice({
      ...this.#options,
      kind,
      field: { name, family, home: homeOf(serial, family.oui, index, family.lanPrefix) },
      facts: {
        ...family,
        serial,
        modelName: family.model,
        softwareVersion: index % 3 === 2 ? (older[0] ?? newest) : newest,
      },
      faults: this.#faultsOf(kind, index),
      endpointId: '',
      models,
      codec,
      cwmpVersion: family.version,
      listenHost: this.#options.listenHost ?? '127.0.0.1',
    })
  }

  #faultsOf(kind: SimulatedKind, index: number): readonly Fault[] {
    const { faultEvery, faults = DEALT, faultKinds = ['dualStack'] } = this.#options
    if (!faultKinds.includes(kind) || faultEvery === 0 || index % faultEvery !== faultEvery - 1) return []
    const fault = faults[Math.floor(index / faultEvery) % faults.length]
    return fault === undefined ? [] : [fault].flat()
  }
}

function idOf(device: SimulatedDevice): string {
  return deviceIdOf(device.identity)
}

/** The devices of a fleet in the order in which they are added: mostly TR-098, of several makers, as in the field. */
const DECK: readonly FleetItem[] = [
  ...['dualStack', 'huaweiOnt', 'zteOnt', 'fiberhomeOnt', 'dualStack', 'tr181NoAgent', 'ctcomEpon', 'nokiaOnt'],
  ...['huaweiOnt', 'uspOnly', 'dualStack', 'avmDsl', 'zteOnt', 'huaweiOnt', 'dualStack', 'vsolOnt'],
  ...['tplinkRouter', 'fiberhomeOnt', 'meshAp', 'dualStack', 'huaweiOnt', 'ctcomEpon', 'stb', 'dualStack'],
  ...['zteOnt', 'tr181NoAgent', 'huaweiOnt', 'nokiaOnt', 'dualStack', 'camera', 'fiberhomeOnt', 'uspOnly'],
  ...['dualStack', 'huaweiOnt', 'ctcomEpon', 'zteOnt', 'dualStack', 'avmDsl', 'dualStack', 'nokiaOnt'],
] as const

/** Returns a mix of so many devices: more than half TR-098 of seven families, a quarter dual-stack, some of all others. */
export function defaultMix(devices: number): FleetMix {
  const mix: FleetMix = {}
  for (let i = 0; i < devices; i++) {
    const item = DECK[i % DECK.length]
    if (item !== undefined) mix[item] = (mix[item] ?? 0) + 1
  }
  return mix
}
