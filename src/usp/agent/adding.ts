import { defaultValueOf, schemaPathOf } from '../../datamodel/index.ts'
import type { Add, AddResp, ParamError, ParameterError, Setting } from '../wire/index.ts'
import { AgentError, failure } from './agent-error.ts'
import { type AgentModel, ModelRefusal, type NewRow } from './agent-model.ts'
import { ModelReader } from './model-reader.ts'
import { type OwnValues, type TableRow, withOwnValues } from './own-values.ts'
import { DENIED, doPlans, type Failure, wrongValue } from './plans.ts'
import type { Requester } from './requester.ts'
import { mayFindNothing, type Resolved, resolveAll } from './resolve.ts'
import { deniedReferences, isUnsupported } from './subscriptions.ts'

/** Subscriptions, and thresholds, of a Controller that sees its own alone: it leaves room for those of others. */
const MAX_OWN = 100

/** One row to add. */
interface AddPlan {
  /** The path of the request. */
  requested: string
  table: string
  /** Values that the Agent itself gives to the row. */
  own: Readonly<Record<string, string>>
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
 * Answers Add (TR-369 7.4.3). A search path adds a row to each table that it finds. Everything is checked before
 * anything is added. Without allow_partial all rows are added together, or the request rejects with RequestRefused.
 */
export async function addRows(
  model: AgentModel,
  { allow_partial, create_objs }: Add,
  requester: Requester,
  ownValues: OwnValues,
  betweenParts: () => Promise<void>,
): Promise<AddResp> {
  const reader = await ModelReader.of(model, requester)
  const plans = await planAll(reader, create_objs, requester.by, ownValues)
  await doPlans({
    plans,
    allowPartial: allow_partial,
    act: (some) => add(model, some, requester.by),
    actEach: (some) => addEach(model, some, requester.by),
    betweenParts,
    errorsOf: (one) => (one.failure === undefined ? [] : one.errors),
    refusal: 'nothing was created',
  })
  const rows = plans.flatMap(({ row }) => row ?? [])
  const keys = await reader.uniqueKeys(rows)
  return { created_obj_results: plans.map((one) => resultOf(one, keys[rows.indexOf(one.row ?? '')] ?? {})) }
}

/** Plans all rows; the keys of the rows that are there are read at once. */
async function planAll(
  reader: ModelReader,
  creations: Add['create_objs'],
  by: string,
  ownValues: OwnValues,
): Promise<AddPlan[]> {
  const resolved = await resolveAll(
    reader,
    creations.map(({ obj_path }) => obj_path),
  )
  const plans = creations.flatMap(({ obj_path, param_settings }, i) =>
    tablesOf(reader, obj_path, resolved[i]).map((table) => ({
      settings: param_settings,
      one: planOf(reader, obj_path, table, param_settings),
    })),
  )
  const tables = [...new Set(plans.flatMap(({ one }) => (one.failure === undefined ? [one.table] : [])))]
  const there = await rowsOf(reader, tables)
  for (const { one, settings } of plans) {
    if (one.failure !== undefined) continue
    const rows = there.get(one.table) ?? []
    one.own = withOwnValues(ownValues(one.table, by), one.table, settings, rows)
    const kind = reader.supported.object(schemaPathOf(`${one.table}{i}.`))
    const visible = await reader.rows(one.table)
    const begins = keyValues(reader, one)
    const duplicate = duplicateOf(one, begins, kind?.keys ?? [], rows, visible)
    if (duplicate !== undefined) fail(one, 7025, duplicate)
    else if (reader.isOwnOnly(one.table) && visible.length + newIn(rows) >= MAX_OWN)
      fail(one, 7005, `a Controller that sees its own rows alone has at most ${MAX_OWN}`)
    else rows.push({ row: '', values: begins })
  }
  return plans.map(({ one }) => one)
}

/** The tables of a requested path, or the path itself with the reason for which it has none. */
function tablesOf(
  { access }: ModelReader,
  path: string,
  resolved: Resolved | AgentError | undefined,
): (string | AgentError)[] {
  if (resolved === undefined || resolved instanceof AgentError) return [resolved ?? new AgentError(7026, path)]
  if (resolved.path.kind !== 'object') return [new AgentError(7008, 'a table path ends in a dot')]
  const mayAdd = (table: string) => access.hasForSome('Obj', 'w', `${table}{i}.`)
  if (!mayFindNothing(resolved, mayAdd)) return [new AgentError(7016, path)]
  return resolved.objects
}

/** The rows of each table, with the values of their keys. */
async function rowsOf(reader: ModelReader, tables: readonly string[]): Promise<Map<string, TableRow[]>> {
  const rows = await Promise.all(tables.map((table) => reader.allRows(table)))
  const namesOf = (table: string) => reader.supported.object(schemaPathOf(`${table}{i}.`))?.keys.flat() ?? []
  const wanted = tables.flatMap((table, i) =>
    (rows[i] ?? []).flatMap((row) => namesOf(table).map((name) => row + name)),
  )
  const values = await reader.values([...new Set(wanted)])
  return new Map(
    tables.map((table, i) => [
      table,
      (rows[i] ?? []).map((row) => ({
        row,
        values: Object.fromEntries(namesOf(table).map((name) => [name, values.get(row + name) ?? ''])),
      })),
    ]),
  )
}

/** Rows of this request. */
function newIn(rows: readonly TableRow[]): number {
  return rows.filter(({ row }) => row === '').length
}

function planOf(reader: ModelReader, requested: string, found: string | AgentError, settings: Setting[]): AddPlan {
  const table = found instanceof AgentError ? requested : found
  const kind = reader.supported.object(schemaPathOf(`${table}{i}.`))
  const keys = new Set(kind?.keys.flat())
  const one: AddPlan = { requested, table, own: {}, good: [], paramErrors: [], keys, errors: [] }
  const isHidden = !(found instanceof AgentError) || found.code === 7016
  if (isHidden && !reader.access.has('Obj', 'w', `${table}{i}.`)) return fail(one, DENIED.err_code, DENIED.err_msg)
  if (found instanceof AgentError) return fail(one, found.code, found.message)
  if (kind?.table !== true) return fail(one, 7018, 'not a table')
  if (kind.access !== 'w') return fail(one, 7019, 'rows cannot be added')
  const denied = deniedReferences(reader.access, table, Object.fromEntries(settings.map((s) => [s.param, s.value])))
  for (const setting of settings) {
    const problem = denied.includes(setting.param) ? DENIED : problemOf(reader, table, setting)
    if (problem === undefined) one.good.push(setting)
    else if (!note(one, setting, problem)) return one
  }
  return one
}

function fail(one: AddPlan, err_code: number, err_msg: string, path = one.table): AddPlan {
  one.failure = { err_code, err_msg }
  one.errors.push({ param_path: path, err_code, err_msg })
  return one
}

/** Records that one setting failed. Returns false when the whole row fails with it. */
function note(one: AddPlan, { param, required }: Setting, problem: Failure): boolean {
  if (required || one.keys.has(param)) {
    const code = problem === DENIED ? problem.err_code : 7021
    fail(one, code, `required parameter ${param}: ${problem.err_msg}`, `${one.table}{i}.${param}`)
    return false
  }
  one.paramErrors.push({ param, ...problem })
  return true
}

function problemOf(reader: ModelReader, table: string, { param, value }: Setting): Failure | undefined {
  if (!reader.access.has('Param', 'w', `${table}{i}.${param}`)) return DENIED
  const parameter = reader.supported.parameter(`${table}{i}.${param}`)
  if (parameter === undefined) return { err_code: 7010, err_msg: 'unsupported parameter' }
  if (parameter.access === 'r') return { err_code: 7013, err_msg: 'the parameter is read only' }
  if (isUnsupported(table, param, value)) return { err_code: 7012, err_msg: 'the Agent can notify alone' }
  return wrongValue(parameter, value)
}

/** Returns the values of the keys with which a row begins: what is not given has the default of the data model. */
function keyValues({ supported }: ModelReader, one: AddPlan): Record<string, string> {
  const values = valuesOf(one)
  for (const name of one.keys) {
    const begin = values[name] ?? defaultValueOf(supported.parameter(`${one.table}{i}.${name}`))
    if (begin !== undefined) values[name] = begin
  }
  return values
}

/**
 * Returns the reason why a unique key of the row is taken; undefined when none is. A key of which nothing is given is
 * set later.
 */
function duplicateOf(
  one: AddPlan,
  begins: Readonly<Record<string, string>>,
  keys: readonly string[][],
  rows: readonly TableRow[],
  visible: readonly string[],
): string | undefined {
  const given = valuesOf(one)
  for (const key of keys) {
    if (!key.some((name) => name in given) || !key.every((name) => name in begins)) continue
    const held = rows.find(({ values }) => key.every((name) => values[name] === begins[name]))
    if (held === undefined) continue
    const same = `the same ${key.join(', ')}`
    if (held.row === '') return `two new rows have ${same}`
    return `${visible.includes(held.row) ? held.row : 'another row'} has ${same}`
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
  while (plans.length > 0 && plans.every((one) => one.failure === undefined)) {
    try {
      const rows = await model.add(plans.map(rowOf), by)
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

/**
 * Adds the rows of some plans, each for itself. Parameters that the model refuses become errors, and the row is tried
 * again without them.
 */
async function addEach(model: AgentModel, plans: AddPlan[], by: string): Promise<void> {
  for (let open = plans.filter(isOpen); open.length > 0; open = open.filter(isOpen)) {
    const results = await model.addEach(open.map(rowOf), by).catch((error: unknown) => open.map(() => error))
    for (const [i, one] of open.entries()) {
      const result = results[i]
      if (typeof result === 'string') one.row = result
      else if (!(result instanceof ModelRefusal) || !noteRefusal(one, 0, result)) {
        const { err_code, err_msg } = failure(result, 7003)
        fail(one, err_code, err_msg)
      }
    }
  }
}

function isOpen({ failure: why, row }: AddPlan): boolean {
  return why === undefined && row === undefined
}

function rowOf(one: AddPlan): NewRow {
  return { table: one.table, values: valuesOf(one) }
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

function resultOf(one: AddPlan, unique_keys: Record<string, string>): AddResp['created_obj_results'][number] {
  const { requested, row, paramErrors } = one
  if (row === undefined) {
    const oper_failure = one.failure ?? { err_code: 7003, err_msg: 'the row was not added' }
    return { requested_path: requested, oper_status: { oper_failure } }
  }
  return {
    requested_path: requested,
    oper_status: { oper_success: { instantiated_path: row, param_errs: paramErrors, unique_keys } },
  }
}
