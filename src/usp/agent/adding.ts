import { schemaPathOf } from '../../datamodel/index.ts'
import type { Add, AddResp, ParamError, ParameterError, Setting } from '../wire/index.ts'
import { failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { doPlans, type Failure, wrongValue } from './plans.ts'

/** One row to add. */
interface AddPlan {
  table: string
  /** Values that the Agent itself gives to the row. */
  own: Record<string, string>
  good: Setting[]
  paramErrors: ParameterError[]
  /** Names of parameters of unique keys: they count as required. */
  keys: ReadonlySet<string>
  failure?: Failure
  errors: ParamError[]
  /** The new row. */
  row?: string
}

/**
 * Answers Add (TR-369 7.4). Everything is checked before anything is added. Without allow_partial all rows are added
 * together, or the request rejects with RequestRefused.
 */
export async function addRows(
  model: AgentModel,
  { allow_partial, create_objs }: Add,
  by: string,
  ownValues: (table: string, by: string) => Record<string, string>,
): Promise<AddResp> {
  const reader = await ModelReader.of(model)
  const plans: AddPlan[] = []
  for (const { obj_path: table, param_settings } of create_objs)
    plans.push(await plan(reader, table, param_settings, plans, ownValues(table, by)))
  await doPlans({
    plans,
    allowPartial: allow_partial,
    act: (some) => add(model, some, by),
    errorsOf: (one) => (one.failure === undefined ? [] : one.errors),
    refusal: 'nothing was created',
  })
  return { created_obj_results: await Promise.all(plans.map((one) => resultOf(reader, one))) }
}

/** `earlier` are the rows of the same request. */
async function plan(
  reader: ModelReader,
  table: string,
  settings: Setting[],
  earlier: readonly AddPlan[],
  own: Record<string, string>,
): Promise<AddPlan> {
  const kind = reader.supported.object(schemaPathOf(`${table}{i}.`))
  const keys = new Set(kind?.keys.flat())
  const one: AddPlan = { table, own, good: [], paramErrors: [], keys, errors: [] }
  if (!table.endsWith('.')) return fail(one, 7008, 'a table path ends in a dot')
  if (kind?.table !== true)
    return reader.isSupported(table)
      ? fail(one, 7018, 'not a table')
      : fail(one, 7026, 'not in the supported data model')
  if (!(await reader.exists(table))) return fail(one, 7016, 'the object of the table does not exist')
  if (kind.access !== 'w') return fail(one, 7019, 'rows cannot be added')
  for (const setting of settings) {
    const problem = problemOf(reader, table, setting)
    if (problem === undefined) one.good.push(setting)
    else if (!note(one, setting, problem)) return one
  }
  const duplicate = await duplicateOf(reader, one, kind.keys, earlier)
  return duplicate === undefined ? one : fail(one, 7025, duplicate)
}

function fail(one: AddPlan, err_code: number, err_msg: string, path = one.table): AddPlan {
  one.failure = { err_code, err_msg }
  one.errors.push({ param_path: path, err_code, err_msg })
  return one
}

/** Records that one setting failed. Returns false when the whole row fails with it. */
function note(one: AddPlan, { param, required }: Setting, problem: Failure): boolean {
  if (required || one.keys.has(param)) {
    fail(one, 7021, `required parameter ${param}: ${problem.err_msg}`, `${one.table}{i}.${param}`)
    return false
  }
  one.paramErrors.push({ param, ...problem })
  return true
}

function problemOf(reader: ModelReader, table: string, { param, value }: Setting): Failure | undefined {
  const parameter = reader.supported.parameter(`${table}{i}.${param}`)
  if (parameter === undefined) return { err_code: 7010, err_msg: 'unsupported parameter' }
  if (parameter.access === 'r') return { err_code: 7013, err_msg: 'the parameter is read only' }
  return wrongValue(parameter, value)
}

/** Resolves with the reason why a unique key of the row is taken; undefined when none is. */
async function duplicateOf(
  reader: ModelReader,
  one: AddPlan,
  keys: readonly string[][],
  earlier: readonly AddPlan[],
): Promise<string | undefined> {
  const given = valuesOf(one)
  const coming = earlier.filter((other) => other.table === one.table && other.failure === undefined).map(valuesOf)
  for (const key of keys) {
    if (!key.every((name) => name in given)) continue
    for (const row of await reader.rows(one.table)) {
      const held = await reader.texts(row, key)
      if (key.every((name) => held[name] === given[name])) return `${row} has the same ${key.join(', ')}`
    }
    if (coming.some((row) => key.every((name) => row[name] === given[name])))
      return `two new rows have the same ${key.join(', ')}`
  }
  return undefined
}

function valuesOf({ own, good }: AddPlan): Record<string, string> {
  return { ...own, ...Object.fromEntries(good.map(({ param, value }) => [param, value])) }
}

/**
 * Adds the rows of some plans, all or none. Parameters that the model refuses become errors, and the row is tried again
 * without them.
 */
async function add(model: AgentModel, plans: AddPlan[], by: string): Promise<void> {
  while (plans.every((one) => one.failure === undefined)) {
    try {
      const rows = await model.add(
        plans.map((one) => ({ table: one.table, values: valuesOf(one) })),
        by,
      )
      for (const [i, one] of plans.entries()) if (rows[i] !== undefined) one.row = rows[i]
      return
    } catch (error) {
      const noted = plans.map((one, i) => error instanceof ModelRefusal && noteRefusal(one, i, error))
      if (noted.includes(true)) continue
      const { err_code, err_msg } = failure(error, 7003)
      for (const one of plans) fail(one, err_code, err_msg)
    }
  }
}

/** Returns false when the refusal is not about this row. */
function noteRefusal(one: AddPlan, row: number, { problems }: ModelRefusal): boolean {
  const own = problems.filter((problem) => (problem.row ?? 0) === row)
  for (const { path, code, text } of own) {
    const setting = one.good.find(({ param }) => path.endsWith(`.${param}`))
    one.good = one.good.filter((other) => other !== setting)
    if (setting === undefined) fail(one, code, text)
    else note(one, setting, { err_code: code, err_msg: text })
  }
  return own.length > 0
}

async function resultOf(reader: ModelReader, one: AddPlan): Promise<AddResp['created_obj_results'][number]> {
  const { table, row, paramErrors } = one
  if (row === undefined) {
    const oper_failure = one.failure ?? { err_code: 7003, err_msg: 'the row was not added' }
    return { requested_path: table, oper_status: { oper_failure } }
  }
  const unique_keys = await reader.uniqueKeys(row)
  return {
    requested_path: table,
    oper_status: { oper_success: { instantiated_path: row, param_errs: paramErrors, unique_keys } },
  }
}
