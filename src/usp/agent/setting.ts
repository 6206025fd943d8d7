import type { ParamError, ParameterError, Set_, SetResp, Setting } from '../wire/index.ts'
import { failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { doPlans, type Failure, wrongValue } from './plans.ts'
import { resolveObjects } from './resolve.ts'

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
export async function setValues(model: AgentModel, { allow_partial, update_objs }: Set_, by: string): Promise<SetResp> {
  const reader = await ModelReader.of(model)
  const plans = await Promise.all(update_objs.map((update) => plan(reader, update.obj_path, update.param_settings)))
  await doPlans({
    plans,
    allowPartial: allow_partial,
    act: (some) => write(model, some, by),
    errorsOf: (one) => (one.failure === undefined ? [] : errorsOf(one)),
    refusal: 'nothing was changed',
  })
  return { updated_obj_results: await Promise.all(plans.map((one) => resultOf(reader, one))) }
}

function errorsOf({ requested, objects, failure: why, unresolved }: SetPlan): ParamError[] {
  const errors = objects.flatMap(({ path, errors }) =>
    errors.map(({ param, err_code, err_msg }) => ({ param_path: path + param, err_code, err_msg })),
  )
  return why !== undefined && (unresolved === true || errors.length === 0)
    ? [{ param_path: requested, ...why }]
    : errors
}

async function plan(reader: ModelReader, requested: string, settings: Setting[]): Promise<SetPlan> {
  try {
    const paths = await resolveObjects(reader, requested)
    const objects = await Promise.all(paths.map((path) => check(reader, path, settings)))
    const required = new Set(settings.filter((setting) => setting.required).map((setting) => setting.param))
    const failed = objects.some(({ errors }) => errors.some(({ param }) => required.has(param)))
    return { requested, objects, ...(failed ? { failure: REQUIRED } : {}) }
  } catch (error) {
    return { requested, objects: [], failure: failure(error, 7026), unresolved: true }
  }
}

async function check(reader: ModelReader, path: string, settings: Setting[]): Promise<ObjectPlan> {
  const values = await reader.values(settings.map(({ param }) => path + param))
  const plan: ObjectPlan = { path, good: [], errors: [] }
  for (const setting of settings) {
    const problem = problemOf(reader, path, setting, values.get(path + setting.param))
    if (problem === undefined) plan.good.push(setting)
    else plan.errors.push({ param: setting.param, ...problem })
  }
  return plan
}

function problemOf(
  reader: ModelReader,
  path: string,
  { param, value }: Setting,
  now: string | undefined,
): Failure | undefined {
  const parameter = reader.supported.parameter(path + param)
  if (parameter === undefined || now === undefined) return { err_code: 7010, err_msg: 'there is no such parameter' }
  if (isFixed(path, param) && now !== '' && now !== value)
    return { err_code: 7013, err_msg: 'cannot be changed once it is set' }
  if (parameter.access !== 'w') return { err_code: 7013, err_msg: 'the parameter is read only' }
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

async function resultOf(
  reader: ModelReader,
  { requested, objects, failure: why }: SetPlan,
): Promise<SetResp['updated_obj_results'][number]> {
  if (why !== undefined) {
    const updated_inst_failures = objects.map(({ path, errors }) => ({ affected_path: path, param_errs: errors }))
    return { requested_path: requested, oper_status: { oper_failure: { ...why, updated_inst_failures } } }
  }
  const updated_inst_results = await Promise.all(
    objects.map(async ({ path, good, errors }) => ({
      affected_path: path,
      param_errs: errors,
      updated_params: await reader.texts(
        path,
        good.map(({ param }) => param),
      ),
    })),
  )
  return { requested_path: requested, oper_status: { oper_success: { updated_inst_results } } }
}
