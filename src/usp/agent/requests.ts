import { checkValue, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import type { TreeView, WriteError } from '../../tree/index.ts'
import type {
  Add,
  AddResp,
  Delete,
  DeleteResp,
  Get,
  GetInstances,
  GetInstancesResp,
  GetResp,
  GetSupportedDM,
  GetSupportedDMResp,
  ParamError,
  ParameterError,
  Set_,
  SetResp,
  Setting,
} from '../wire/index.ts'
import { uniqueKeysOf } from './changes.ts'
import { readInstances, readParameters } from './reading.ts'
import { AgentError, failure, resolveObjects } from './resolve.ts'
import { SUBSCRIPTIONS } from './subscriptions.ts'
import { supportedModel } from './supported-model.ts'

const WRITE_CODES: Record<WriteError['kind'], number> = {
  unknown: 7010,
  notWritable: 7013,
  type: 7011,
  value: 7012,
  notTable: 7018,
  notCreatable: 7019,
  duplicateKey: 7025,
}
/** A whole request refused: answered with an Error. */
export class RequestRefused extends Error {
  readonly code: number
  readonly errors: ParamError[]
  constructor(code: number, text: string, errors: ParamError[] = []) {
    super(text)
    this.code = code
    this.errors = errors
  }
}

/** How a box refuses writes on purpose. */
export interface WriteQuirk {
  pattern: string
  code: number
}

/** What an Add of one row will do. */
interface AddPlan {
  table: string
  good: Setting[]
  paramErrors: ParameterError[]
  failure?: { err_code: number; err_msg: string }
  errors: ParamError[]
}

/** The requests on the data model (TR-369 7.4-7.5), answered out of one box's tree. */
export class AgentRequests {
  readonly #view: TreeView
  readonly #reject: WriteQuirk | undefined
  /** Called with each new row before its values are set, to fill what the Agent itself decides. */
  readonly #onCreate: (row: string, controller: string) => void

  constructor(view: TreeView, onCreate: (row: string, controller: string) => void, reject?: WriteQuirk) {
    this.#view = view
    this.#onCreate = onCreate
    this.#reject = reject
  }

  get(request: Get): GetResp {
    return readParameters(this.#view, request)
  }

  instances(request: GetInstances): GetInstancesResp {
    return readInstances(this.#view, request)
  }

  supportedModel(request: GetSupportedDM): GetSupportedDMResp {
    return supportedModel(this.#view, request)
  }

  /** TR-369 7.4: checked completely before anything is written, so that nothing has to be undone. */
  set({ allow_partial, update_objs }: Set_, by: string): SetResp {
    const plans = update_objs.map((update) => this.#planSet(update.obj_path, update.param_settings))
    const failed = plans.filter((plan) => plan.failure !== undefined)
    if (failed.length > 0 && !allow_partial) {
      throw new RequestRefused(
        7004,
        'nothing was changed',
        failed.flatMap((plan) => plan.errors),
      )
    }
    return {
      updated_obj_results: plans.map((plan) => {
        if (plan.failure !== undefined) {
          const { err_code, err_msg } = plan.failure
          const updated_inst_failures = plan.objects.map((object) => ({
            affected_path: object.path,
            param_errs: object.errors,
          }))
          return {
            requested_path: plan.requested,
            oper_status: { oper_failure: { err_code, err_msg, updated_inst_failures } },
          }
        }
        const updated_inst_results = plan.objects.map((object) => {
          for (const { param, value } of object.good) this.#view.write(object.path + param, value, by)
          return {
            affected_path: object.path,
            param_errs: object.errors,
            updated_params: Object.fromEntries(
              object.good.map(({ param }) => [param, this.#view.get(object.path + param) ?? '']),
            ),
          }
        })
        return { requested_path: plan.requested, oper_status: { oper_success: { updated_inst_results } } }
      }),
    }
  }

  #planSet(
    requested: string,
    settings: Setting[],
  ): {
    requested: string
    objects: { path: string; good: Setting[]; errors: ParameterError[] }[]
    failure?: { err_code: number; err_msg: string }
    errors: ParamError[]
  } {
    try {
      const objects = resolveObjects(this.#view, requested)
      const plans = objects.map((path) => this.#check(path, settings))
      const errors = plans.flatMap((plan) =>
        plan.errors.map((error) => ({
          param_path: plan.path + error.param,
          err_code: error.err_code,
          err_msg: error.err_msg,
        })),
      )
      const required = plans.some((plan) => plan.failed)
      return {
        requested,
        objects: plans,
        errors,
        ...(required ? { failure: { err_code: 7021, err_msg: 'a required parameter failed' } } : {}),
      }
    } catch (error) {
      const why = failure(error, 7026)
      return { requested, objects: [], failure: why, errors: [{ param_path: requested, ...why }] }
    }
  }

  #check(
    path: string,
    settings: Setting[],
  ): { path: string; good: Setting[]; errors: ParameterError[]; failed: boolean } {
    const good: Setting[] = []
    const errors: ParameterError[] = []
    let failed = false
    for (const setting of settings) {
      const problem =
        this.#rejected(path + setting.param) ??
        this.#immutable(path, setting) ??
        this.#view.check(path + setting.param, setting.value)
      if (problem === undefined) {
        good.push(setting)
        continue
      }
      failed ||= setting.required
      errors.push({
        param: setting.param,
        err_code: typeof problem === 'number' ? problem : WRITE_CODES[problem.kind],
        err_msg: typeof problem === 'number' ? 'refused' : problem.text,
      })
    }
    return { path, good, errors, failed }
  }

  /** ID and ReferenceList of a subscription stay as they were made. */
  #immutable(path: string, { param, value }: Setting): WriteError | undefined {
    if (
      !/^Device\.LocalAgent\.Subscription\.\d+\.$/.test(path) ||
      !['ID', 'ReferenceList', 'NotifType'].includes(param)
    )
      return undefined
    const now = this.#view.get(path + param)
    return now === '' || now === value
      ? undefined
      : { path: path + param, kind: 'notWritable', text: 'cannot be changed once it is set' }
  }

  add({ allow_partial, create_objs }: Add, by: string): AddResp {
    const plans: AddPlan[] = []
    for (const create of create_objs) plans.push(this.#planAdd(create.obj_path, create.param_settings, plans, by))
    const failed = plans.flatMap((plan) => plan.failure ?? [])
    if (failed.length > 0 && !allow_partial) {
      throw new RequestRefused(
        7004,
        'nothing was created',
        plans.flatMap((plan) => (plan.failure === undefined ? [] : plan.errors)),
      )
    }
    return {
      created_obj_results: plans.map((plan) => {
        if (plan.failure !== undefined)
          return { requested_path: plan.table, oper_status: { oper_failure: plan.failure } }
        const added = this.#view.add(plan.table, by)
        if ('kind' in added)
          return {
            requested_path: plan.table,
            oper_status: { oper_failure: { err_code: WRITE_CODES[added.kind], err_msg: added.text } },
          }
        this.#onCreate(added.row, by)
        for (const { param, value } of plan.good) this.#view.write(added.row + param, value, by)
        return {
          requested_path: plan.table,
          oper_status: {
            oper_success: {
              instantiated_path: added.row,
              param_errs: plan.paramErrors,
              unique_keys: uniqueKeysOf(this.#view, added.row),
            },
          },
        }
      }),
    }
  }

  /** `earlier` are the rows of the same request, which do not exist yet. */
  #planAdd(table: string, settings: Setting[], earlier: AddPlan[], by: string): AddPlan {
    const plan = { table, good: [] as Setting[], paramErrors: [] as ParameterError[], errors: [] as ParamError[] }
    const refuse = (err_code: number, err_msg: string, path = table) => ({
      ...plan,
      failure: { err_code, err_msg },
      errors: [...plan.errors, { param_path: path, err_code, err_msg }],
    })
    if (!table.endsWith('.')) return refuse(7008, 'a table path ends in a dot')
    if (!this.#view.isTable(table)) {
      if (this.#view.model.object(table) === undefined) return refuse(7026, 'not in the supported data model')
      // A table that the model has, of a row that is not there.
      const inModel = this.#view.tree.supported.has(schemaPathOf(this.#view.toCanonical(`${table}{i}.`)))
      return inModel ? refuse(7016, 'the object of the table does not exist') : refuse(7018, 'not a table')
    }
    if (this.#view.model.object(`${table}{i}.`)?.access !== 'w') return refuse(7019, 'rows cannot be added')
    const rejected = this.#rejected(table)
    if (rejected !== undefined) return refuse(rejected, 'refused')
    const keys = new Set(this.#view.model.object(`${table}{i}.`)?.keys.flat())
    for (const setting of settings) {
      const problem = this.#checkNew(table, setting)
      if (problem === undefined) {
        plan.good.push(setting)
        continue
      }
      if (setting.required || keys.has(setting.param))
        return refuse(7021, `required parameter ${setting.param}: ${problem.err_msg}`, `${table}{i}.${setting.param}`)
      plan.paramErrors.push(problem)
    }
    const duplicate = this.#duplicate(table, plan.good, earlier, ownValues(table, by))
    return duplicate === undefined ? plan : refuse(7025, duplicate)
  }

  #checkNew(table: string, { param, value }: Setting): ParameterError | undefined {
    const path = `${table}{i}.${param}`
    const known = this.#view.model.parameter(path)
    const { object, leaf } = splitLeaf(path)
    const has = this.#view.tree.supported.get(schemaPathOf(this.#view.toCanonical(object)))?.includes(leaf) === true
    if (known === undefined || !has) return { param, err_code: 7010, err_msg: 'unsupported parameter' }
    if (known.access === 'r') return { param, err_code: 7013, err_msg: 'the parameter is read only' }
    const wrong = checkValue(known, value)
    return wrong === undefined
      ? undefined
      : { param, err_code: wrong.kind === 'type' ? 7011 : 7012, err_msg: wrong.text }
  }

  #duplicate(table: string, settings: Setting[], earlier: AddPlan[], own: Record<string, string>): string | undefined {
    const valuesOf = (row: Setting[]) =>
      new Map([...Object.entries(own), ...row.map(({ param, value }): [string, string] => [param, value])])
    const given = valuesOf(settings)
    const coming = earlier
      .filter((plan) => plan.table === table && plan.failure === undefined)
      .map((plan) => valuesOf(plan.good))
    for (const key of this.#view.model.object(`${table}{i}.`)?.keys ?? []) {
      if (!key.every((name) => given.has(name))) continue
      const clash = this.#view
        .instances(table)
        .find((row) => key.every((name) => this.#view.get(row + name) === given.get(name)))
      if (clash !== undefined) return `${clash} has the same ${key.join(', ')}`
      if (coming.some((row) => key.every((name) => row.get(name) === given.get(name))))
        return `two new rows have the same ${key.join(', ')}`
    }
    return undefined
  }

  remove({ allow_partial, obj_paths }: Delete, by: string): DeleteResp {
    const plans = obj_paths.map((text) => {
      try {
        const objects = resolveObjects(this.#view, text)
        const bad = objects.find(
          (object) =>
            this.#view.model.object(object)?.table !== true ||
            this.#view.model.object(object)?.access !== 'w' ||
            !/\.\d+\.$/.test(object),
        )
        if (bad !== undefined) throw new AgentError(7024, `${bad} cannot be deleted`)
        return { text, objects }
      } catch (error) {
        const why = failure(error, 7026)
        return { text, objects: [], failure: why }
      }
    })
    const failed = plans.filter((plan) => plan.failure !== undefined)
    if (failed.length > 0 && !allow_partial) {
      throw new RequestRefused(
        7004,
        'nothing was deleted',
        failed.flatMap((plan) => (plan.failure === undefined ? [] : [{ param_path: plan.text, ...plan.failure }])),
      )
    }
    return {
      deleted_obj_results: plans.map(({ text, objects, failure: why }) => {
        // A valid path without such an instance is a success with nothing affected (R-DEL.2a).
        if (why !== undefined && why.err_code !== 7016)
          return { requested_path: text, oper_status: { oper_failure: why } }
        for (const object of objects) this.#view.remove(object, by)
        return {
          requested_path: text,
          oper_status: { oper_success: { affected_paths: objects, unaffected_path_errs: [] } },
        }
      }),
    }
  }

  #rejected(path: string): number | undefined {
    return this.#reject !== undefined && new RegExp(this.#reject.pattern).test(path) ? this.#reject.code : undefined
  }
}

/** Values of a new row that the Agent gives itself: a subscription's Recipient is whoever adds it. */
function ownValues(table: string, by: string): Record<string, string> {
  return table === SUBSCRIPTIONS ? { Recipient: by.replace(/\.$/, '') } : {}
}
