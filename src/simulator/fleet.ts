import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { join } from 'node:path'
import type { Clock, Log, Random } from '../base/index.ts'
import { loadBoxModels } from '../datamodel/index.ts'
import { deviceIdOf, encodePart } from '../device/index.ts'
import { Codec } from '../usp/index.ts'
import { BOX_KINDS, Box, type BoxKind, type BoxServers, type BoxState } from './box.ts'
import type { Fault } from './faults.ts'

/** How many boxes of each kind. */
export type FleetMix = Record<BoxKind, number>

export interface FleetOptions {
  mix: FleetMix
  /** Every n-th dual-stack box has a fault, in turn; 0 = none. */
  faultEvery: number
  /** The faults that are dealt out, in this order; all of them unless told. */
  faults?: readonly Fault[]
  seed: number
  servers: BoxServers
  /** Folder where the boxes' flash memory is kept; undefined: nowhere. */
  stateDir?: string
  timeScale: number
  informIntervalS: number
  /** Milliseconds between two boxes being switched on. */
  staggerMs: number
  clock: Clock
  random: Random
  log: Log
}

/** A box as others are told of it. */
export interface BoxSummary {
  deviceId: string
  kind: BoxKind
  faults: Fault[]
}

/** Faults in the order in which they are dealt out. */
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
]

/** Makes and models that the fleet is made of; class names with hyphen and space as they occur. */
const MAKES: Record<BoxKind, { manufacturer: string; oui: string; productClass: string; model: string }> = {
  legacyTr098: { manufacturer: 'Oldham', oui: '00A0C5', productClass: 'HomeGate', model: 'HG-520' },
  tr181NoAgent: { manufacturer: 'Marsh Networks', oui: '001349', productClass: 'VX 200', model: 'VX200' },
  dualStack: { manufacturer: 'Northbridge', oui: '0C96BF', productClass: 'NB-7', model: 'NB-7' },
  uspOnly: { manufacturer: 'Kestrel', oui: '5C3A45', productClass: 'Kestrel_One', model: 'One' },
}

/** Hundreds of boxes in one process, always the same ones for the same seed. */
export class Fleet {
  readonly boxes: Box[] = []
  readonly #options: FleetOptions
  readonly #httpAgent = new HttpAgent({ keepAlive: true, keepAliveMsecs: 10_000, maxSockets: 256, maxFreeSockets: 64 })
  #save: NodeJS.Timeout | undefined
  #changed = false
  #stopped = false

  constructor(options: FleetOptions) {
    this.#options = options
    const models = loadBoxModels()
    const codec = new Codec()
    const saved = this.#load()
    for (const kind of BOX_KINDS) {
      for (let i = 0; i < options.mix[kind]; i++) {
        const box = this.#make(kind, i, models, codec)
        const state = saved[idOf(box)]
        if (state !== undefined) box.load(state)
        box.onChanged = () => {
          this.#changed = true
        }
        this.boxes.push(box)
      }
    }
  }

  /** Switches the boxes on one after the other; resolves when all are. */
  async start(): Promise<void> {
    if (this.#options.stateDir !== undefined) {
      this.#save = setInterval(() => this.#changed && this.#write(), 500)
      this.#save.unref()
    }
    for (const box of this.boxes) {
      if (this.#stopped) return
      box.start()
      if (this.#options.staggerMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#options.staggerMs))
    }
  }

  stop(graceful: boolean): void {
    this.#stopped = true
    clearInterval(this.#save)
    for (const box of this.boxes) box.stop(graceful)
    this.#httpAgent.destroy()
    if (this.#options.stateDir !== undefined) this.#write()
  }

  summary(): BoxSummary[] {
    return this.boxes.map((box) => ({ deviceId: idOf(box), kind: box.kind, faults: [...box.faults] }))
  }

  #make(kind: BoxKind, index: number, models: ReturnType<typeof loadBoxModels>, codec: Codec): Box {
    const { faultEvery, seed, faults = DEALT } = this.#options
    const make = MAKES[kind]
    // One serial number of the fleet is not plain ASCII, as one of every real fleet is not.
    const serial =
      kind === 'tr181NoAgent' && index === 0
        ? `VX ${seed}é%1`
        : `${kind.slice(0, 2).toUpperCase()}${seed}${String(index).padStart(5, '0')}`
    const faulty = kind === 'dualStack' && faultEvery > 0 && index % faultEvery === faultEvery - 1
    const fault = faulty ? faults[Math.floor(index / faultEvery) % faults.length] : undefined
    return new Box({
      ...this.#options,
      kind,
      facts: {
        ...make,
        serial,
        modelName: make.model,
        hardwareVersion: 'A2',
        softwareVersion: index % 3 === 0 ? '1.9.4' : '1.10.1',
      },
      faults: fault === undefined ? [] : [fault],
      endpointId: `ops::${make.oui}-${encodePart(make.productClass)}-${encodePart(serial)}`,
      models,
      codec,
      httpAgent: this.#httpAgent,
    })
  }

  #file(): string {
    return join(this.#options.stateDir ?? '', 'fleet.json')
  }

  #load(): Record<string, BoxState> {
    if (this.#options.stateDir === undefined || !existsSync(this.#file())) return {}
    return JSON.parse(readFileSync(this.#file(), 'utf8')) as Record<string, BoxState>
  }

  /** Atomic, so that a cut never leaves half a fleet. */
  #write(): void {
    const { stateDir } = this.#options
    if (stateDir === undefined) return
    this.#changed = false
    mkdirSync(stateDir, { recursive: true })
    const states = Object.fromEntries(this.boxes.map((box) => [idOf(box), box.save()]))
    writeFileSync(`${this.#file()}.new`, JSON.stringify(states))
    renameSync(`${this.#file()}.new`, this.#file())
  }
}

function idOf(box: Box): string {
  return deviceIdOf(box.identity)
}

/** A mix of so many boxes: two fifths dual-stack, a quarter TR-098, a fifth TR-181 without Agent, the rest USP only. */
export function defaultMix(devices: number): FleetMix {
  const dualStack = Math.ceil(devices * 0.4)
  const legacyTr098 = Math.floor(devices * 0.25)
  const tr181NoAgent = Math.floor(devices * 0.2)
  return {
    legacyTr098,
    tr181NoAgent,
    dualStack,
    uspOnly: Math.max(0, devices - dualStack - legacyTr098 - tr181NoAgent),
  }
}
