import type { ParamError, ParameterError, Set_, SetResp, Setting } from '../wire/index.ts'
import { AgentError, failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { SUBSCRIPTIONS } from './owned-tables.ts'
import { DENIED, doPlans, type Failure, wrongValue } from './plans.ts'
import type { Requester } from './requester.ts'
import { mayFindNothing, objectsOf, resolveAll } from './resolve.ts'
import { deniedReferences, isUnsupported } from './subscriptions.ts'

/** The settings of one object: those that can be written, and the errors of the others. */
interface ObjectPlan {
  path: string
  good: Setting[]
  errors: ParameterError[]
}

/** One update of a Set. It is done for all objects that its path names, or for none. */
interface SetPlan {
  requested: string
  objects: ObjectPlan[]
  failure?: Failure
  /** True when the path itself failed. */
  unresolved?: boolean
}

const REQUIRED: Failure = { err_code: 7021, err_msg: 'a required parameter failed' }

/**
 * Answers Set (TR-369 7.4). Everything is checked before anything is written. Without allow_partial all updates are
 * written together, or the request rejects with RequestRefused.
 */
export async function setValues(
  model: AgentModel,
  { allow_partial, update_objs }: Set_,
  requester: Requester,
  betweenParts: () => Promise<void>,
): Promise<SetResp> {
  const reader = await ModelReader.of(model, requester)
  const plans = await planAll(reader, update_objs)
  await doPlans({
    plans,
    allowPartial: allow_partial,
    act: (some) => write(model, some, requester.by),
    betweenParts,
    errorsOf: (one) => (one.failure === undefined ? [] : errorsOf(one)),
    refusal: 'nothing was changed',
  })
  return { updated_obj_results: await resultsOf(reader, plans) }
}

function errorsOf({ requested, objects, failure: why, unresolved }: SetPlan): ParamError[] {
  const errors = objects.flatMap(({ path, errors }) =>
    errors.map(({ param, err_code, err_msg }) => ({ param_path: path + param, err_code, err_msg })),
  )
  return why !== undefined && (unresolved === true || errors.length === 0)
    ? [{ param_path: requested, ...why }]
    : errors
}

/** Plans all updates; the present values are read at once. */
async function planAll(reader: ModelReader, updates: Set_['update_objs']): Promise<SetPlan[]> {
  const resolved = await resolveAll(
    reader,
    updates.map(({ obj_path }) => obj_path),
  )
  const found = resolved.map((one): string[] | Failure => {
    try {
      const objects = objectsOf(one)
      const mayWrite = (path: string) => reader.access.reaches(['Param'], 'w', path)
      return one instanceof AgentError || mayFindNothing(one, mayWrite) ? objects : DENIED
    } catch (error) {
      return failure(error, 7026)
    }
  })
  const wanted = updates.flatMap(({ param_settings }, i) => {
    const objects = found[i]
    if (!Array.isArray(objects)) return []
    return objects.flatMap((path) => [...param_settings.map(({ param }) => path + param), ...referencePaths(path)])
  })
  const values = await reader.values([...new Set(wanted)])
  return updates.map(({ obj_path, param_settings }, i) => {
    const objects = found[i] ?? []
    if (!Array.isArray(objects)) {
      // Without rights on it, a row that is there looks like one that is not.
      const isHidden = objects.err_code === 7016 && !reader.access.reaches(['Param'], 'w', obj_path)
      return { requested: obj_path, objects: [], failure: isHidden ? DENIED : objects, unresolved: true }
    }
    return plan(reader, obj_path, objects, param_settings, values)
  })
}

function plan(
  reader: ModelReader,
  requested: string,
  paths: readonly string[],
  settings: readonly Setting[],
  values: ReadonlyMap<string, string>,
): SetPlan {
  const objects = paths.map((path): ObjectPlan => {
    const one: ObjectPlan = { path, good: [], errors: [] }
    const denied = deniedIn(reader, path, settings, values)
    for (const setting of settings) {
      const problem = denied.includes(setting.param)
        ? DENIED
        : problemOf(reader, path, setting, values.get(path + setting.param))
      if (problem === undefined) one.good.push(setting)
      else one.errors.push({ param: setting.param, ...problem })
    }
    return one
  })
  const required = new Set(settings.filter((setting) => setting.required).map((setting) => setting.param))
  const failed = objects.some(({ errors }) => errors.some(({ param }) => required.has(param)))
  return { requested, objects, ...(failed ? { failure: REQUIRED } : {}) }
}

const REFERENCES = ['NotifType', 'ReferenceList']

function referencePaths(path: string): string[] {
  return path.startsWith(SUBSCRIPTIONS) ? REFERENCES.map((name) => path + name) : []
}

/** Returns the names of settings by which a subscription would be to things of which its Controller is not notified. */
function deniedIn(
  { access }: ModelReader,
  path: string,
  settings: readonly Setting[],
  values: ReadonlyMap<string, string>,
): string[] {
  if (!path.startsWith(SUBSCRIPTIONS)) return []
  const given = new Map(settings.map(({ param, value }) => [param, value]))
  const after = Object.fromEntries(REFERENCES.map((name) => [name, given.get(name) ?? values.get(path + name) ?? '']))
  return deniedReferences(access, path, after).length === 0 ? [] : REFERENCES
}

function problemOf(
  reader: ModelReader,
  path: string,
  { param, value }: Setting,
  now: string | undefined,
): Failure | undefined {
  if (!reader.access.has('Param', 'w', path + param)) return DENIED
  const parameter = reader.supported.parameter(path + param)
  if (parameter === undefined || now === undefined) return { err_code: 7010, err_msg: 'there is no such parameter' }
  if (isFixed(path, param) && now !== '' && now !== value)
    return { err_code: 7013, err_msg: 'cannot be changed once it is set' }
  if (parameter.access !== 'w') return { err_code: 7013, err_msg: 'the parameter is read only' }
  if (isUnsupported(path, param, value)) return { err_code: 7012, err_msg: 'the Agent can notify alone' }
  return wrongValue(parameter, value)
}

/** ID, ReferenceList and NotifType of a subscription stay as they were set first (TR-181 Subscription). */
function isFixed(path: string, param: string): boolean {
  return /^Device\.LocalAgent\.Subscription\.\d+\.$/.test(path) && ['ID', 'ReferenceList', 'NotifType'].includes(param)
}

/**
 * Writes some plans, all or none. Parameters that the model refuses become errors, and the others are tried again
 * without them.
 */
async function write(model: AgentModel, plans: SetPlan[], by: string): Promise<void> {
  for (;;) {
    const open = plans.filter((one) => one.failure === undefined)
    const values = open.flatMap(({ objects }) =>
      objects.flatMap(({ path, good }) => good.map(({ param, value }) => ({ path: path + param, value }))),
    )
    if (open.length < plans.length || values.length === 0) return
    try {
      return await model.set(values, by)
    } catch (error) {
      if (!(error instanceof ModelRefusal) || !note(open, error))
        for (const one of open) one.failure = failure(error, 7003)
    }
  }
}

/** Moves refused settings to the errors. Returns false when the refusal is about none of them. */
function note(plans: SetPlan[], { problems }: ModelRefusal): boolean {
  let noted = false
  for (const one of plans) {
    for (const object of one.objects) {
      for (const { path, code, text } of problems) {
        const setting = object.good.find(({ param }) => object.path + param === path)
        if (setting === undefined) continue
        noted = true
        object.good = object.good.filter((other) => other !== setting)
        object.errors.push({ param: setting.param, err_code: code, err_msg: text })
        if (setting.required) one.failure = REQUIRED
      }
    }
  }
  return noted
}

/** The results of all plans; the values after the update are read at once, those that may be read (R-SET.3). */
async function resultsOf(reader: ModelReader, plans: readonly SetPlan[]): Promise<SetResp['updated_obj_results']> {
  const done = plans.filter((one) => one.failure === undefined).flatMap(({ objects }) => objects)
  const wanted = done.flatMap(({ path, good }) => good.map(({ param }) => path + param))
  const values = await reader.values([...new Set(wanted)].filter((path) => reader.access.mayRead(path)))
  return plans.map(({ requested, objects, failure: why }) => {
    if (why !== undefined) {
      const updated_inst_failures = objects.map(({ path, errors }) => ({ affected_path: path, param_errs: errors }))
      return { requested_path: requested, oper_status: { oper_failure: { ...why, updated_inst_failures } } }
    }
    const updated_inst_results = objects.map(({ path, good, errors }) => {
      const updated_params: Record<string, string> = {}
      for (const { param } of good) {
        if (reader.access.mayRead(path + param)) updated_params[param] = values.get(path + param) ?? ''
      }
      return { affected_path: path, param_errs: errors, updated_params }
    })
    return { requested_path: requested, oper_status: { oper_success: { updated_inst_results } } }
  })
}
