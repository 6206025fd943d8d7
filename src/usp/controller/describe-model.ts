import type { SupportedModelObject } from '../../domain/index.ts'
import type { GetSupportedDMResp, SupportedObject } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import type { Reply } from './agent-requests.ts'

/** An answer may have megabytes and come from a slow CPE. */
const ASK_TIMEOUT_MS = 120_000
const MAX_ASKED = 400
const MAX_LEVELS = 3
const MAX_OBJECTS = 50_000
/**
 * Errors for an answer that is too large for one Message: 7005, and 7000 and 7003 from Agents that do not check the
 * size.
 */
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
 * Asks an Agent for its supported data model (GetSupportedDM): in one answer, or subtree by subtree where that is too
 * large, with the objects that differ per instance. Empty when the Agent gives none; TransportError when it does not
 * answer.
 */
export async function describeModel(agent: AgentLink): Promise<SupportedModelObject[]> {
  const asked = { count: 0 }
  const objects = await subtree(agent, 'Device.', 0, asked)
  const divergent = objects.flatMap((object) => object.divergent_paths)
  for (const path of divergent) {
    if (asked.count >= MAX_ASKED) break
    const reply = await ask(agent, path, false, asked)
    if (reply.ok) objects.push(...objectsOf(reply.body))
  }
  return objects.slice(0, MAX_OBJECTS).map(supportedObject)
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

/** Returns the code of an Error or of the requested path; 0: none. */
function errorOf(reply: Reply<'get_supported_dm'>): number {
  if (!reply.ok) return reply.error.err_code
  return reply.body.req_obj_results.find(({ err_code }) => err_code !== 0)?.err_code ?? 0
}

function objectsOf(body: GetSupportedDMResp): SupportedObject[] {
  return body.req_obj_results.flatMap((result) => (result.err_code === 0 ? result.supported_objs : []))
}

/** Returns one object of an answer as the record describes it. */
export function supportedObject(object: SupportedObject): SupportedModelObject {
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
