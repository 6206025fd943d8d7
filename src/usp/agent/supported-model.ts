import { parentOf, parsePath, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import type { GetSupportedDM, GetSupportedDMResp, SupportedObject } from '../wire/index.ts'
import { AgentError } from './agent-error.ts'
import type { ModelReader } from './model-reader.ts'

type Result = GetSupportedDMResp['req_obj_results'][number]

/** ParamValueType of the message. */
const VALUE_TYPES: Record<string, number> = {
  base64: 1,
  boolean: 2,
  dateTime: 3,
  decimal: 4,
  hexBinary: 5,
  int: 6,
  long: 7,
  string: 8,
  unsignedInt: 9,
  unsignedLong: 10,
}
const EVERYTHING = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: false }

/**
 * Answers GetSupportedDM (TR-369 7.5.3): objects of the supported model, or since 1.4 one command, event or parameter
 * of one. Elements that may be read in no instance are left out (R-GSP.0).
 */
export async function supportedModel(reader: ModelReader, request: GetSupportedDM): Promise<GetSupportedDMResp> {
  return { req_obj_results: await reader.each(request.obj_paths, (path) => resultOf(reader, path, request)) }
}

async function resultOf(reader: ModelReader, req_obj_path: string, request: GetSupportedDM): Promise<Result> {
  try {
    const { schema, leaf } = await locate(reader, req_obj_path)
    const supported_objs =
      leaf === ''
        ? objectsOf(reader, schema, request)
        : [only(describe(reader, schema, { ...request, ...EVERYTHING }), leaf)]
    if (supported_objs.length === 0) throw new AgentError(7026, 'not in the supported data model')
    return { req_obj_path, err_code: 0, err_msg: '', data_model_inst_uri: reader.supported.uri, supported_objs }
  } catch (error) {
    const err_code = error instanceof AgentError ? error.code : 7008
    const err_msg = error instanceof Error ? error.message : 'invalid path'
    return { req_obj_path, err_code, err_msg, data_model_inst_uri: '', supported_objs: [] }
  }
}

/**
 * The schema path of the object that a path names, and the leaf. Instances must be there; a trailing `{i}.` may be left
 * out.
 */
async function locate(reader: ModelReader, text: string): Promise<{ schema: string; leaf: string }> {
  const path = parsePath(text)
  if (path.search) throw new AgentError(7008, 'a path of the model has no search')
  const { object, leaf } = splitLeaf(text)
  if (/\{i\}\..*\.\d+\./.test(object)) throw new AgentError(7008, 'no instance number may follow {i}')
  const found = [schemaPathOf(object), `${schemaPathOf(object)}{i}.`]
  const schema = found.find((candidate) => reader.supported.object(candidate) !== undefined)
  if (schema === undefined) throw new AgentError(7026, 'not in the supported data model')
  if (!mayRead(reader, schema)) throw new AgentError(7026, 'not in the supported data model')
  if (/\.\d+\./.test(object) && !object.includes('{i}') && !(await reader.exists(object)))
    throw new AgentError(7016, 'the object does not exist')
  return { schema, leaf }
}

/** Returns true when some element at or below a schema path may be read. */
function mayRead({ access }: ModelReader, schema: string): boolean {
  return access.reaches(['Obj', 'Param', 'CommandEvent'], 'r', schema)
}

function objectsOf(reader: ModelReader, schema: string, request: GetSupportedDM): SupportedObject[] {
  const { supported, access } = reader
  const paths = [...supported.objects()]
    .filter((path) => path.startsWith(schema) && access.hasForSome('Obj', 'r', path))
    .sort()
  for (const path of paths) reader.count(1 + supported.parameters(path).length)
  if (!request.first_level_only) return paths.map((path) => describe(reader, path, request))
  // Immediate children are listed without their commands, events and parameters.
  const bare = { ...request, return_commands: false, return_events: false, return_params: false }
  return paths
    .filter((path) => path === schema || parentOf(path.replace(/\{i\}\.$/, '')) === schema)
    .map((path) => describe(reader, path, path === schema ? request : bare))
}

function describe({ supported, access }: ModelReader, path: string, request: GetSupportedDM): SupportedObject {
  const object = supported.object(path)
  const isShown = (column: 'Param' | 'CommandEvent', name: string) => access.hasForSome(column, 'r', path + name)
  const names = supported.parameters(path).filter((name) => isShown('Param', name))
  const params = request.return_params ? names.flatMap((name) => supported.parameter(path + name) ?? []) : []
  const commands = request.return_commands ? [...(object?.commands.values() ?? [])] : []
  const events = request.return_events ? [...(object?.events ?? [])] : []
  const keys = request.return_unique_key_sets ? (object?.keys ?? []) : []
  return {
    supported_obj_path: path,
    access: object?.table === true && object.access === 'w' ? 1 : 0,
    is_multi_instance: object?.table ?? false,
    supported_commands: commands
      .filter(({ name }) => isShown('CommandEvent', name))
      .map((command) => ({
        command_name: command.name,
        input_arg_names: command.input.map((arg) => arg.name),
        output_arg_names: command.output.map((arg) => arg.name),
        command_type: command.async ? 2 : 1,
      })),
    supported_events: events
      .filter(([name]) => isShown('CommandEvent', name))
      .map(([event_name, arg_names]) => ({ event_name, arg_names })),
    supported_params: params.map((param) => ({
      param_name: param.name,
      access: param.access === 'r' ? 0 : 1,
      value_type: VALUE_TYPES[param.type] ?? 0,
      // A counter of time changes at every read: no ValueChange is sent for it (VALUE_CHANGE_WILL_IGNORE).
      value_change: param.name === 'UpTime' ? 2 : 1,
    })),
    divergent_paths: [],
    unique_key_sets: keys.map((key_names) => ({ key_names })),
  }
}

/** One element of an object; AgentError 7026 when it has none of that name. */
function only(object: SupportedObject, leaf: string): SupportedObject {
  const shown = {
    ...object,
    supported_commands: object.supported_commands.filter(({ command_name }) => command_name === leaf),
    supported_events: object.supported_events.filter(({ event_name }) => event_name === leaf),
    supported_params: object.supported_params.filter(({ param_name }) => param_name === leaf),
  }
  const found = shown.supported_commands.length + shown.supported_events.length + shown.supported_params.length
  if (found === 0) throw new AgentError(7026, `${leaf} is not in the supported data model`)
  return shown
}
