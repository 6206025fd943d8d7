import { type Clock, type Log, ProtocolError, TransportError } from '../../base/index.ts'
import {
  applyPatch,
  bearsFacts,
  type Device,
  type DeviceId,
  type DevicePatch,
  type DeviceStore,
  factsFrom,
  factsPatch,
  goneSince,
  outcomeError,
  type ParameterStore,
  type ParameterWrite,
  type PathOutcome,
  storable,
} from '../../device/index.ts'
import { BoxNotebook, type BoxNotes, remember } from './box-notes.ts'
import type { Session } from './session.ts'
import type { ParameterTypes } from './values.ts'
import { type DiscoveryMode, Walk } from './walk.ts'

export interface DiscoveriesOptions {
  mode: DiscoveryMode | 'none'
  devices: DeviceStore
  parameters: ParameterStore
  types: ParameterTypes
  clock: Clock
  log: Log
}

/** A session that has carried so many RPCs ends in peace, and the discovery goes on in the next one. */
const SESSION_BUDGET = 1800
/** Discoveries at once; boxes beyond them are discovered in a later session. */
const MAX_ACTIVE = 500
/** Discoveries kept half done. */
const MAX_KEPT = 500
const VALUES_PER_COMMIT = 500
const MAX_METHODS = 128

/** A discovery under way. */
interface Reading {
  walk: Walk
  firmware: string
  bootstrapAt: number
  /** Values that were read and are not in the record yet. */
  waiting: PathOutcome[]
  /** Values that tell facts of the box; few of many. */
  facts: Map<string, string>
  methodsAsked: boolean
}

/** Reads the trees of boxes into the record: at first contact, after a bootstrap and under new firmware, and when somebody asks for it. */
export class Discoveries {
  readonly notebook = new BoxNotebook()
  readonly #options: DiscoveriesOptions
  readonly #halfDone = new Map<DeviceId, Reading>()
  readonly #asked = new Map<string, { walk: Walk; outcomes: PathOutcome[] }>()
  #active = 0

  constructor(options: DiscoveriesOptions) {
    this.#options = options
  }

  /** Whether the tree of this box is to be read now. */
  isDue(device: Device): boolean {
    const firmware = firmwareOf(device)
    if (this.#options.mode === 'none' || device.cwmp?.discoveredFor === firmware) return false
    return this.#active < MAX_ACTIVE && this.notebook.of(device).notBefore <= this.#options.clock.now()
  }

  /**
   * Reads on where the last session stopped. `pause` is asked between requests; `paused` when it said so, `spent` when the session has carried
   * enough. What was read is in the record whatever comes; rejects when the session is over or the box refuses its root.
   */
  async run(session: Session, pause: () => boolean): Promise<'done' | 'paused' | 'spent'> {
    const { device } = session
    const notes = this.notebook.of(device)
    const state = this.#stateOf(device, notes)
    const before = state.walk.steps
    const { waiting } = state
    const keep = async () => {
      const count = waiting.length
      await this.#keep(session.deviceId, state)
      waiting.splice(0, count)
    }
    this.#active++
    try {
      for (;;) {
        if (pause()) return 'paused'
        if (session.rpcs >= SESSION_BUDGET) return 'spent'
        const outcomes = await state.walk.step(session)
        if (outcomes === undefined) break
        for (const outcome of outcomes) waiting.push(outcome)
        if (waiting.length >= VALUES_PER_COMMIT) await keep()
      }
      await keep()
      notes.advanced()
      notes.completed()
      await this.#finish(session, state)
      return 'done'
    } catch (error) {
      if (state.walk.steps > before) notes.advanced()
      else notes.failed(this.#options.clock.now())
      throw error
    } finally {
      this.#active--
      await keep()
    }
  }

  /** The whole subtree of an operation that asks for it; TransportError (not sent) when the session has carried enough: ask again in the next. */
  async collect(
    session: Session,
    key: string,
    root: string,
    mode: DiscoveryMode,
    signal: AbortSignal,
  ): Promise<PathOutcome[]> {
    const { types } = this.#options
    const notes = this.notebook.of(session.device)
    const known = this.#asked.get(key)
    const state = known ?? { walk: new Walk(root, mode, types, notes), outcomes: [] }
    remember(this.#asked, key, state, MAX_KEPT)
    for (;;) {
      signal.throwIfAborted()
      if (session.rpcs >= SESSION_BUDGET)
        throw new TransportError('sessionLimit', 'the discovery goes on in the next session', { sent: false })
      const outcomes = await state.walk.step(session)
      if (outcomes === undefined) break
      for (const outcome of outcomes) state.outcomes.push(outcome)
    }
    this.#asked.delete(key)
    const outcomes = [...state.outcomes, ...state.walk.unlisted]
    if (!state.walk.isComplete)
      outcomes.push({
        path: root,
        error: outcomeError('incomplete', 'the box has more here than is taken; read its parts'),
      })
    return outcomes
  }

  /** Keeps what this session taught about the box; nothing to write as a rule. */
  async saveNotes({ device }: Session): Promise<void> {
    const notes = this.notebook.of(device).unsaved()
    if (notes !== undefined) await this.#options.devices.commit({ deviceId: device.id, set: { 'cwmp.notes': notes } })
  }

  #stateOf(device: Device, notes: BoxNotes): Reading {
    const { mode, types } = this.#options
    const firmware = firmwareOf(device)
    const bootstrapAt = device.cwmp?.lastBootstrapAt ?? 0
    const known = this.#halfDone.get(device.id)
    // A bootstrap makes another tree of it.
    if (known !== undefined && known.firmware === firmware && known.bootstrapAt === bootstrapAt) return known
    const root = device.root ?? 'Device.'
    const walk = new Walk(root, mode === 'subtree' ? mode : 'walk', types, notes)
    const state: Reading = { walk, firmware, bootstrapAt, waiting: [], facts: new Map(), methodsAsked: false }
    remember(this.#halfDone, device.id, state, MAX_KEPT)
    return state
  }

  async #keep(deviceId: DeviceId, { facts, waiting }: Reading): Promise<void> {
    const { types, clock, devices } = this.#options
    const collectedAt = clock.now()
    const parameters: ParameterWrite[] = []
    for (const { path, value, type, writable } of waiting) {
      if (value === undefined) continue
      if (bearsFacts(path)) facts.set(path, value)
      const write: ParameterWrite = { path, value, type: type ?? 'unknown', source: 'cwmp', collectedAt }
      if (writable !== undefined) write.writable = writable
      const kept = storable(write, types.modelOf(path))
      if (kept !== undefined) parameters.push(kept)
    }
    if (parameters.length > 0) await devices.commit({ deviceId, parameters })
  }

  /** All is read: facts, methods and firmware into the record, and out of it what the box no longer has. */
  async #finish(session: Session, state: Reading): Promise<void> {
    const { devices, parameters, types, clock, log } = this.#options
    const { deviceId } = session
    const { walk, firmware, facts } = state
    const methods = await methodsOf(session, state)
    const told = factsFrom([...facts].map(([name, value]) => ({ name, value })))
    const patch: DevicePatch = factsPatch(session.device, told)
    patch['cwmp.discoveredFor'] = firmware === '?' ? (patch.softwareVersion ?? firmware) : firmware
    if (methods !== undefined) patch['cwmp.methods'] = methods
    if (told.informIntervalS !== undefined && /^\d{1,9}$/.test(told.informIntervalS))
      patch['cwmp.informIntervalS'] = Number(told.informIntervalS)
    if (walk.isComplete) {
      const knows = (object: string) => types.knowsObject(object)
      const read = { deviceId, objects: [walk.root], results: walk.seen, source: 'cwmp' as const, knows }
      const gone = await goneSince(read, parameters)
      // A firmware may bring the other root; nobody else speaks of the old one.
      const before = walk.root === 'Device.' ? ['InternetGatewayDevice.'] : []
      await devices.commit({ deviceId, dropSubtrees: [...gone.subtrees, ...before], dropParameters: gone.parameters })
    } else log.warn({ deviceId, root: walk.root }, 'the tree is larger than what is kept of one box')
    await devices.commit({ deviceId, set: patch })
    session.device = applyPatch(session.device, patch, clock.now())
    this.#halfDone.delete(deviceId)
  }
}

/** What the box can do (TR-069 A.3.1.1); undefined when it does not say. Asked once: a box that leaves over it is not asked again. */
async function methodsOf(session: Session, state: Reading): Promise<string[] | undefined> {
  if (state.methodsAsked) return undefined
  state.methodsAsked = true
  try {
    const answer = await session.call('GetRPCMethods', {})
    return answer.ok ? answer.body.MethodList.slice(0, MAX_METHODS) : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** The firmware that a discovery is good for; `?` where the box does not tell in its Inform. */
function firmwareOf(device: Device): string {
  return device.softwareVersion ?? '?'
}
