import {
  BoundedMap,
  type Clock,
  defined,
  isConflict,
  type Log,
  PeerFault,
  ProtocolError,
  TransportError,
} from '../../../base/index.ts'
import {
  applyPatch,
  bearsFacts,
  collected,
  type Device,
  type DeviceChange,
  type DeviceId,
  type DevicePatch,
  type DeviceStore,
  type DiscoveryFacts,
  factsFrom,
  factsPatch,
  type MappingCoverage,
  outcomeError,
  PARAMETERS_PER_COMMIT,
  type ParameterStore,
  type ParameterWrite,
  type PathOutcome,
  vanishedSince,
} from '../../../domain/index.ts'
import type { Session } from '../session/session.ts'
import type { ParameterTypes } from '../session/values.ts'
import { CpeNotebook, type CpeNotes } from './cpe-notes.ts'
import { type DiscoveryMode, Walk } from './walk.ts'

interface DiscoveriesOptions {
  mode: DiscoveryMode | 'none'
  devices: DeviceStore
  parameters: ParameterStore
  coverage?: Pick<MappingCoverage, 'isDue' | 'note'>
  types: ParameterTypes
  clock: Clock
  log: Log
}

/** RPCs after which a discovery ends its session and continues in the next one. */
const SESSION_BUDGET = 1800
/** Discoveries at a time; further CPE are discovered in a later session. */
const MAX_ACTIVE = 500
/** Discoveries kept half done. */
const MAX_KEPT = 500
const MAX_METHODS = 128
/** Parameters of the trees that are kept until they are read as a whole, over all readings under way: some 50 MB. */
const MAX_KNOWN = 100_000
/** Objects that could not be read are named up to this number; where there are more, all is read again. */
const MAX_UNREAD = 32
/** Objects that could not be read are tried again after this time. */
const READ_AGAIN_MS = 86_400_000

/** The reason that a discovery is not done although the CPE answered. */
export const NOTHING_FOUND = 'the CPE lists no parameters and answers no values of its root'

/** A discovery under way. */
interface Reading {
  walk: Walk
  /** It reads objects alone that could not be read before. */
  isPart: boolean
  /**
   * The tree in the record, while it has nothing but what this reading and the Inform of its session brought; not for a
   * reading that goes on after another session or other work.
   */
  known: KnownParameters | undefined
  firmware: string
  bootstrapAt: number
  /** Values that were read and are not in the record yet. */
  waiting: PathOutcome[]
  /** The few values from which facts of the record are read. */
  facts: Map<string, string>
  methodsAsked: boolean
}

/** Parameters of one record in memory; none of them where they are too many. */
interface KnownParameters {
  parameters: ParameterWrite[] | undefined
}

/** Reads the trees of CPE into the record: at first contact, after a bootstrap, under new firmware, and on request. */
export class Discoveries {
  readonly notebook = new CpeNotebook()
  readonly #options: DiscoveriesOptions
  readonly #halfDone = new BoundedMap<DeviceId, Reading>(MAX_KEPT)
  readonly #asked = new BoundedMap<string, { walk: Walk; outcomes: PathOutcome[] }>(MAX_KEPT)
  #active = 0
  #known = 0

  constructor(options: DiscoveriesOptions) {
    this.#options = options
  }

  /** True when the tree of this CPE, or a part that could not be read, is to be read now. */
  isDue(device: Device): boolean {
    if (this.#options.mode === 'none') return false
    const now = this.#options.clock.now()
    const { discovery } = device.cwmp ?? {}
    if (isDiscovered(device) && !(discovery?.outcome === 'partial' && now - discovery.at >= READ_AGAIN_MS)) return false
    return this.#active < MAX_ACTIVE && this.notebook.of(device).notBefore <= now
  }

  /**
   * Continues where the last session stopped. `pause` is asked between requests. Resolves with `paused` when it
   * returned true, `spent` when the session has carried enough requests, `empty` when no way to ask found anything.
   * Values are stored as they are read. Rejects when the session is over or the CPE refuses its root.
   */
  async run(session: Session, pause: () => boolean): Promise<'done' | 'paused' | 'spent' | 'empty'> {
    const { device } = session
    const notes = this.notebook.of(device)
    const state = this.#stateOf(session, notes)
    const before = state.walk.steps
    const { waiting } = state
    // Other work between two parts of a reading may bring values of its own.
    const { known } = state
    state.known = undefined
    const keep = async (least: number) => {
      while (waiting.length >= least) {
        // One answer may have the whole tree: other work goes on between its parts.
        const part = waiting.slice(0, PARAMETERS_PER_COMMIT)
        const kept = await this.#keep(session.deviceId, state, part)
        waiting.splice(0, part.length)
        this.#remember(known, kept)
      }
    }
    this.#active++
    try {
      for (;;) {
        if (pause()) return 'paused'
        if (session.rpcs >= SESSION_BUDGET) return 'spent'
        const outcomes = await state.walk.step(session)
        if (outcomes === undefined) break
        for (const outcome of outcomes) waiting.push(outcome)
        await keep(PARAMETERS_PER_COMMIT)
      }
      await keep(1)
      if (state.walk.foundNothing && !state.isPart) {
        notes.failed(this.#options.clock.now())
        await this.#foundNothing(session, NOTHING_FOUND)
        return 'empty'
      }
      notes.advanced()
      notes.completed()
      await this.#finish(session, state, known)
      return 'done'
    } catch (error) {
      if (error instanceof PeerFault) await this.#foundNothing(session, `${error.fault} ${error.message}`)
      if (state.walk.steps > before) notes.advanced()
      else notes.failed(this.#options.clock.now())
      throw error
    } finally {
      this.#active--
      this.#forget(known)
      await keep(1)
    }
  }

  /**
   * The whole subtree of an operation that asks for it; TransportError (not sent) when the session has carried enough:
   * ask again in the next.
   */
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
    const state = known ?? { walk: new Walk({ root, mode }, types, notes), outcomes: [] }
    this.#asked.set(key, state)
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
        error: outcomeError(
          'incomplete',
          'the device has more values here than one read takes; read the parts one by one',
        ),
      })
    return outcomes
  }

  /** Stores what was learnt about the CPE in this session; in most sessions there is nothing to write. */
  async saveNotes({ device }: Session): Promise<void> {
    const notes = this.notebook.of(device).unsaved()
    if (notes !== undefined) await this.#options.devices.commit({ deviceId: device.id, set: { 'cwmp.notes': notes } })
  }

  #stateOf(session: Session, notes: CpeNotes): Reading {
    const { device } = session
    const { mode, types } = this.#options
    const firmware = firmwareOf(device)
    const bootstrapAt = device.cwmp?.lastBootstrapAt ?? 0
    const known = this.#halfDone.get(device.id)
    // A bootstrap makes another tree of it.
    if (known !== undefined && known.firmware === firmware && known.bootstrapAt === bootstrapAt) return known
    const root = device.root ?? 'Device.'
    const unread = isDiscovered(device) ? (device.cwmp?.discovery?.unread ?? []) : []
    const isPart = unread.length > 0 && unread.length < MAX_UNREAD
    const start = { root, mode: mode === 'subtree' ? mode : ('walk' as const), ...(isPart ? { only: unread } : {}) }
    const walk = new Walk(start, types, notes)
    const isFirst = session.made !== undefined && known === undefined
    const nothing = { waiting: [], facts: new Map<string, string>() }
    const state: Reading = {
      walk,
      isPart,
      known: isFirst ? { parameters: [] } : undefined,
      firmware,
      bootstrapAt,
      ...nothing,
      methodsAsked: isPart,
    }
    this.#halfDone.set(device.id, state)
    return state
  }

  /** Stores values; resolves with those that the record keeps. */
  async #keep(deviceId: DeviceId, { facts }: Reading, part: PathOutcome[]): Promise<ParameterWrite[]> {
    const { types, clock, devices } = this.#options
    for (const { path, value } of part) if (value !== undefined && bearsFacts(path)) facts.set(path, value)
    const modelOf = (path: string) => types.modelOf(path)
    const parameters = collected(part, { source: 'cwmp', collectedAt: clock.now(), modelOf })
    if (parameters.length > 0) await devices.commit({ deviceId, more: true, parameters, facts: 'later' })
    return parameters
  }

  /** Adds what was stored to what is known of the record, as long as there is room for it. */
  #remember(known: KnownParameters | undefined, kept: readonly ParameterWrite[]): void {
    if (known?.parameters === undefined) return
    if (this.#known + kept.length <= MAX_KNOWN) {
      for (const parameter of kept) known.parameters.push(parameter)
      this.#known += kept.length
    } else this.#forget(known)
  }

  #forget(known: KnownParameters | undefined): void {
    if (known?.parameters === undefined) return
    this.#known -= known.parameters.length
    known.parameters = undefined
  }

  /** Stores facts, methods and firmware, and deletes what the CPE no longer has. */
  async #finish(session: Session, state: Reading, known: KnownParameters | undefined): Promise<void> {
    const { log } = this.#options
    const { deviceId } = session
    const { walk, firmware, facts } = state
    const methods = await methodsOf(session, state)
    const collected = factsFrom([...facts].map(([name, value]) => ({ name, value })))
    const patch: DevicePatch = factsPatch(session.device, collected)
    patch['cwmp.discoveredFor'] = firmware === '?' ? (patch.softwareVersion ?? firmware) : firmware
    if (methods !== undefined) patch['cwmp.methods'] = methods
    if (collected.informIntervalS !== undefined && /^\d{1,9}$/.test(collected.informIntervalS))
      patch['cwmp.informIntervalS'] = Number(collected.informIntervalS)
    if (!walk.isComplete)
      log.warn(
        { deviceId, root: walk.root },
        'the tree of the device is larger than its record may be; the rest is left out',
      )
    else if (known === undefined) await this.#dropVanished(session, state)
    const unread = walk.unlisted.map(({ path }) => path)
    const ended = { outcome: unread.length === 0 ? ('complete' as const) : ('partial' as const), unread }
    const { device, made } = session
    const tree =
      made === undefined || known?.parameters === undefined
        ? undefined
        : { record: device, parameters: [...made, ...known.parameters] }
    await this.#tell(session, ended, patch, { facts: 'all', ...defined({ tree }) })
    this.#halfDone.delete(deviceId)
    if (walk.isComplete && !state.isPart && unread.length === 0) await this.#count(session.device, walk)
  }

  /** Deletes what was stored and the CPE no longer has. */
  async #dropVanished({ deviceId, informed }: Session, { walk, isPart }: Reading): Promise<void> {
    const { devices, parameters, types } = this.#options
    const knows = (object: string) => types.knowsObject(object)
    // The parameters of the Inform exist, listed or not.
    const results = [...walk.seen, ...informed.map((path) => ({ path }))]
    const read = { deviceId, objects: [...walk.objects], results, source: 'cwmp' as const, knows }
    const gone = await vanishedSince(read, parameters)
    // New firmware can have the other root; the CPE does not list the old one any more.
    const before = walk.root === 'Device.' && !isPart ? ['InternetGatewayDevice.'] : []
    const dropSubtrees = [...gone.subtrees, ...before]
    await devices.commit({ deviceId, more: true, dropSubtrees, dropParameters: gone.parameters })
  }

  /** Counts the parameters of a whole tree of TR-181 that its model knows; a tree of TR-098 is counted where it is mapped. */
  async #count(device: Device, walk: Walk): Promise<void> {
    const { coverage, types, clock, log } = this.#options
    const at = clock.now()
    if (walk.root !== 'Device.' || coverage?.isDue(device, at) !== true) return
    const paths = walk.seen.flatMap(({ path, error }) => (error === undefined && !path.endsWith('.') ? [path] : []))
    const unmapped = paths.filter((path) => types.modelOf(path)?.parameter(path) === undefined)
    const note = {
      at,
      parameters: paths.length,
      mapped: paths.length - unmapped.length,
      unmapped,
      silent: [],
    }
    await coverage.note(device, note).catch((err: unknown) => {
      log.warn({ deviceId: device.id, err }, 'the tree of the device was not counted for its model')
    })
  }

  /** Nothing that is in the record is taken out of it; the next session tries again, from the start. */
  async #foundNothing(session: Session, reason: string): Promise<void> {
    const { deviceId } = session
    this.#halfDone.delete(deviceId)
    this.#options.log.warn({ deviceId, reason }, 'discovery found nothing')
    await this.#tell(session, { outcome: 'empty', unread: [], reason }, {})
  }

  /** Puts the end of a discovery into the record, with an event where it is not complete and did not end so before. */
  async #tell(
    session: Session,
    ended: Omit<DiscoveryFacts, 'at'>,
    patch: DevicePatch,
    more: Pick<DeviceChange, 'facts' | 'tree'> = {},
  ): Promise<void> {
    const { clock } = this.#options
    const { deviceId } = session
    const at = clock.now()
    const before = session.device.cwmp?.discovery
    const unread = ended.unread.slice(0, MAX_UNREAD)
    const discovery: DiscoveryFacts = { ...ended, unread, at }
    const isNews = ended.outcome !== before?.outcome || String(unread) !== String(before.unread)
    const set: DevicePatch = { ...patch, 'cwmp.discovery': discovery }
    const data = { ...ended, unread }
    const change: DeviceChange = {
      deviceId,
      set,
      ...more,
      ...(ended.outcome === 'complete' || !isNews
        ? {}
        : { events: [{ type: 'device.discoveryIncomplete', at, deviceId, protocol: 'cwmp', data }] }),
    }
    await this.#commitKnown(change)
    session.device = applyPatch(session.device, set, at)
  }

  /** A change with a known tree holds while the record is the one that it is known of; else the tree is read. */
  async #commitKnown({ tree, ...change }: DeviceChange): Promise<void> {
    const { devices } = this.#options
    if (tree === undefined) return devices.commit(change)
    try {
      await devices.commit({ ...change, tree, guard: { revision: tree.record.revision } })
    } catch (error) {
      if (!isConflict(error)) throw error
      await devices.commit(change)
    }
  }
}

/**
 * Returns the methods of the CPE (TR-069 A.3.1.1); undefined when it does not answer. A CPE that ends a session over
 * this request is not asked again.
 */
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

/** True when the tree was read under the firmware that the CPE has now. */
function isDiscovered(device: Device): boolean {
  return device.cwmp?.discoveredFor === firmwareOf(device)
}

/** Returns the firmware for which a discovery is valid; `?` where the Inform of the CPE does not name it. */
function firmwareOf(device: Device): string {
  return device.softwareVersion ?? '?'
}
