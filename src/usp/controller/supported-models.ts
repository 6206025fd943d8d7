import { type Clock, errorText, type Log } from '../../base/index.ts'
import type { Device, SupportedModel, SupportedModelStore } from '../../device/index.ts'
import type { GetSupportedDMResp, SupportedObject } from '../wire/index.ts'
import type { AgentLink, Reply } from './agent-link.ts'

/** What onboarding needs of a supported model: small, where the model itself has megabytes and stays in the store. */
export interface ModelFacts {
  /** Whether a table, parameter or event (path without instance numbers) is supported. Of what a model says nothing about, yes. */
  has(path: string): boolean
}

export interface SupportedModelsOptions {
  store: SupportedModelStore
  /** Paths that will be asked for. */
  of: readonly string[]
  clock: Clock
  log: Log
}

/** An answer may have megabytes and a slow box behind it. */
const ASK_TIMEOUT_MS = 120_000
/** An Agent that does not describe itself, or not all at once, is likely not the only one of its model. */
const REFUSED_MS = 600_000
const MAX_KNOWN = 1000
const MAX_ASKED = 400
const MAX_LEVELS = 3
const MAX_OBJECTS = 50_000
/** Too large for one Message: 7005 says so, 7000 and 7003 are what Agents say that did not expect it. */
const TOO_LARGE = [7000, 7003, 7005]

const ACCESS = ['readOnly', 'addDelete', 'addOnly', 'deleteOnly'] as const
const TYPES = [
  'unknown',
  'base64',
  'boolean',
  'dateTime',
  'decimal',
  'hexBinary',
  'int',
  'long',
  'string',
  'unsignedInt',
  'unsignedLong',
]

/**
 * The cache key of a supported model: the same make, model and firmware describes itself the same. undefined while the firmware is not known:
 * two boxes that do not tell it need not be alike.
 */
export function modelKey(device: Device): string | undefined {
  if (device.softwareVersion === undefined) return undefined
  return [device.manufacturer ?? device.oui, device.model ?? device.productClass, device.softwareVersion].join('|')
}

/** Supported data models, asked once per model and firmware over all Agents that arrive together. */
export class SupportedModels {
  readonly #options: SupportedModelsOptions
  readonly #known = new Map<string, ModelFacts>()
  readonly #underWay = new Map<string, Promise<unknown>>()
  readonly #refusedUntil = new Map<string, number>()

  constructor(options: SupportedModelsOptions) {
    this.#options = options
  }

  /** From memory, the store, or the Agent; undefined when it does not tell. */
  async of(agent: AgentLink, device: Device): Promise<ModelFacts | undefined> {
    const key = modelKey(device)
    if (key === undefined) return undefined
    for (;;) {
      const known = this.#known.get(key)
      if (known !== undefined) return known
      if (this.#options.clock.now() < (this.#refusedUntil.get(key) ?? 0)) return undefined
      const underWay = this.#underWay.get(key)
      if (underWay === undefined) break
      // Another Agent of the model is asked; should its link break, the next one is.
      await underWay.catch(() => undefined)
      if (agent.closed) return undefined
    }
    const learning = this.#learn(agent, key)
    this.#underWay.set(key, learning)
    try {
      return await learning
    } finally {
      this.#underWay.delete(key)
    }
  }

  async #learn(agent: AgentLink, key: string): Promise<ModelFacts | undefined> {
    const { store, clock, log } = this.#options
    const stored = await store.get(key)
    if (stored !== undefined && stored.objects.length > 0) return this.#keep(key, stored.objects)
    let objects: SupportedModel['objects'] = []
    try {
      objects = (await describe(agent)).map(supportedObject)
    } catch (error) {
      if (agent.closed) throw error
      log.info({ endpointId: agent.endpointId, reason: errorText(error) }, 'GetSupportedDM failed')
    }
    if (objects.length === 0) {
      log.warn({ endpointId: agent.endpointId, model: key }, 'the Agent does not describe its data model')
      bounded(this.#refusedUntil)
      this.#refusedUntil.set(key, clock.now() + REFUSED_MS)
      return undefined
    }
    // A model too large to keep is asked again after a restart.
    await store
      .put({ key, objects, at: clock.now() })
      .catch((err: unknown) => log.warn({ err, model: key }, 'supported data model was not stored'))
    return this.#keep(key, objects)
  }

  #keep(key: string, objects: SupportedModel['objects']): ModelFacts {
    const facts = factsOf(objects, this.#options.of)
    bounded(this.#known)
    this.#known.set(key, facts)
    return facts
  }
}

function bounded(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size < MAX_KNOWN) return
    map.delete(key)
  }
}

function factsOf(objects: SupportedModel['objects'], asked: readonly string[]): ModelFacts {
  const byPath = new Map(objects.map((object) => [object.path, object]))
  // An Agent of the first versions may leave out all events or all parameters.
  const events = objects.some((object) => object.events.length > 0)
  const params = objects.some((object) => object.params.length > 0)
  const lacking = new Set(
    asked.filter((path) => {
      if (path.endsWith('.')) return !byPath.has(`${path}{i}.`) && byPath.get(path)?.multi !== true
      const dot = path.lastIndexOf('.') + 1
      const object = byPath.get(path.slice(0, dot))
      const name = path.slice(dot)
      if (name.endsWith('!')) return events && object?.events.every((event) => event.name !== name) !== false
      return params && object?.params.every((param) => param.name !== name) !== false
    }),
  )
  return { has: (path) => !lacking.has(path) }
}

/** The whole model in one answer, or subtree by subtree where that is too large, with what differs per instance. */
async function describe(agent: AgentLink): Promise<SupportedObject[]> {
  const asked = { count: 0 }
  const objects = await subtree(agent, 'Device.', 0, asked)
  const divergent = objects.flatMap((object) => object.divergent_paths)
  for (const path of divergent) {
    if (asked.count >= MAX_ASKED) break
    const reply = await ask(agent, path, false, asked)
    if (reply.ok) objects.push(...objectsOf(reply.body))
  }
  return objects.slice(0, MAX_OBJECTS)
}

async function subtree(
  agent: AgentLink,
  path: string,
  level: number,
  asked: { count: number },
): Promise<SupportedObject[]> {
  const reply = await ask(agent, path, false, asked)
  const code = errorOf(reply)
  if (code === 0 && reply.ok) return objectsOf(reply.body)
  if (!TOO_LARGE.includes(code) || level >= MAX_LEVELS) return []
  const shallow = await ask(agent, path, true, asked)
  if (!shallow.ok) return []
  const found = objectsOf(shallow.body)
  const objects = found.filter((object) => object.supported_obj_path === path)
  for (const { supported_obj_path: child } of found) {
    if (child === path || !child.startsWith(path) || asked.count >= MAX_ASKED) continue
    objects.push(...(await subtree(agent, child, level + 1, asked)))
  }
  return objects
}

function ask(
  agent: AgentLink,
  path: string,
  first_level_only: boolean,
  asked: { count: number },
): Promise<Reply<'get_supported_dm'>> {
  asked.count++
  const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
  return agent.request(
    'get_supported_dm',
    { obj_paths: [path], first_level_only, ...flags },
    { timeoutMs: ASK_TIMEOUT_MS },
  )
}

/** The code of an Error or of the one requested path; 0: none. */
function errorOf(reply: Reply<'get_supported_dm'>): number {
  if (!reply.ok) return reply.error.err_code
  return reply.body.req_obj_results.find(({ err_code }) => err_code !== 0)?.err_code ?? 0
}

function objectsOf(body: GetSupportedDMResp): SupportedObject[] {
  return body.req_obj_results.flatMap((result) => (result.err_code === 0 ? result.supported_objs : []))
}

function supportedObject(object: SupportedObject): SupportedModel['objects'][number] {
  return {
    path: object.supported_obj_path,
    access: ACCESS[object.access] ?? 'readOnly',
    multi: object.is_multi_instance,
    params: object.supported_params.map((param) => ({
      name: param.param_name,
      writable: param.access !== 0,
      readable: param.access !== 2,
      type: TYPES[param.value_type] ?? 'unknown',
    })),
    commands: object.supported_commands.map((command) => ({
      name: command.command_name,
      async: command.command_type === 2,
      input: command.input_arg_names,
      output: command.output_arg_names,
    })),
    events: object.supported_events.map((event) => ({ name: event.event_name, args: event.arg_names })),
    uniqueKeys: object.unique_key_sets.map((set) => set.key_names),
  }
}
