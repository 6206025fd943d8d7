import type { Log } from '../../base/index.ts'
import { isOwnRow, sameList } from '../../domain/index.ts'
import type { AuditEntry } from '../../security/index.ts'
import type { AddResp, DeleteResp } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import type { ModelFacts } from './supported-models.ts'

const TABLE = 'Device.LocalAgent.Subscription.'

interface Wanted {
  ID: string
  NotifType: string
  ReferenceList: string
}

/** Settings of a subscription that an Agent may refuse. */
export const OPTIONAL_SETTINGS: readonly string[] = ['Persistent', 'NotifRetry']
const SETTINGS = { Persistent: 'true', NotifRetry: 'true', Enable: 'true' }

/** Tables whose new and deleted rows change a record. */
const WATCHED_TABLES = [
  'Device.IP.Interface.',
  'Device.WiFi.SSID.',
  'Device.WiFi.AccessPoint.',
  'Device.LocalAgent.Controller.',
]
const WATCHED_VALUES = ['Device.DeviceInfo.SoftwareVersion', 'Device.DeviceInfo.ProvisioningCode']
const EVENTS = [
  ['isthmus-boot', 'Device.Boot!'],
  ['isthmus-periodic', 'Device.LocalAgent.Periodic!'],
  ['isthmus-transfer', 'Device.LocalAgent.TransferComplete!'],
] as const
/** Errors for a ReferenceList that names what the Agent does not have: arguments, value, path. */
const LACKING: readonly number[] = [7004, 7010, 7011, 7012, 7016, 7026]
/** The subscription of sources of live facts. An Agent that refuses it may support all that its model names. */
const FACTS_ID = 'isthmus-facts'

/** All IDs that Isthmus gives its subscriptions: such a row is deleted when it is not wanted. */
const OWN_IDS: readonly string[] = [
  ...EVENTS.map(([id]) => id),
  'isthmus-value',
  FACTS_ID,
  'isthmus-complete',
  'isthmus-created',
  'isthmus-deleted',
]

/**
 * Returns the subscriptions of this Controller on an Agent, restricted to what the Agent supports; undefined facts
 * restrict nothing. `sources` are parameters that the device has shown.
 */
function wantedSubscriptions(facts: ModelFacts | undefined, sources: readonly string[]): Wanted[] {
  const has = (path: string) => facts === undefined || facts.has(path)
  // Every Agent sends Boot!, also when its model does not list it.
  const rows: Wanted[] = EVENTS.filter(([, event]) => event === 'Device.Boot!' || has(event)).map(([ID, event]) => ({
    ID,
    NotifType: 'Event',
    ReferenceList: event,
  }))
  const values = WATCHED_VALUES.filter(has)
  if (values.length > 0) rows.push({ ID: 'isthmus-value', NotifType: 'ValueChange', ReferenceList: values.join(',') })
  if (sources.length > 0) rows.push({ ID: FACTS_ID, NotifType: 'ValueChange', ReferenceList: sources.join(',') })
  rows.push({ ID: 'isthmus-complete', NotifType: 'OperationComplete', ReferenceList: 'Device.' })
  const tables = WATCHED_TABLES.filter(has)
  if (tables.length > 0) {
    rows.push({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: tables.join(',') })
    const below = tables.map((table) => `${table}*.`).join(',')
    rows.push({ ID: 'isthmus-deleted', NotifType: 'ObjectDeletion', ReferenceList: below })
  }
  return rows
}

/** Paths whose support decides about the subscriptions. */
export const WATCHED_PATHS = [...EVENTS.map(([, event]) => event), ...WATCHED_VALUES, ...WATCHED_TABLES]

interface SubscriptionDeps {
  audit(entry: AuditEntry): Promise<void>
  log: Log
  /** True for the first onboarding with this firmware: refusals are audited then, and not at each later arrival. */
  first: boolean
  now: number
  /** Sources of live facts that the Agent is asked to report. */
  sources: readonly string[]
}

/** The state that was found and made. */
interface Ensured {
  /** True when the Agent showed its table without any subscription of this Controller. */
  none: boolean
  /** True when the Agent has a subscription of this Controller now. */
  stands: boolean
  /** True when the Agent refused a row with an error for something that it does not have. */
  lacking: boolean
}

type Added = Pick<Ensured, 'lacking'> & { added: number }

interface Row {
  path: string
  params: Record<string, string>
}

/**
 * Brings the subscriptions of this Controller on an Agent to the wanted state, by their ID; costs one Get when nothing
 * is to change. A row with another ReferenceList is deleted and added, because that list is immutable; a disabled one
 * is enabled; one that is not wanted is deleted. A refusal of the Agent is no failure: it is audited once and tried
 * again at the next arrival.
 */
export async function ensureSubscriptions(
  agent: AgentLink,
  facts: ModelFacts | undefined,
  deps: SubscriptionDeps,
): Promise<Ensured> {
  const shown = await ownRows(agent)
  const rows = shown ?? []
  const none = shown !== undefined && !rows.some(({ params }) => OWN_IDS.includes(params.ID ?? ''))
  const { unfit, idle, missing } = compare(rows, wantedSubscriptions(facts, deps.sources), facts !== undefined)
  const kept = unfit.length === 0 ? [] : await remove(agent, unfit, deps)
  if (idle.length > 0) await enable(agent, idle, deps)
  // A row that could not be deleted still holds its ID.
  const free = missing.filter(({ ID }) => !kept.some((row) => row.params.ID === ID))
  const { added, lacking } = free.length > 0 ? await addRows(agent, free, deps) : { added: 0, lacking: false }
  return { none, stands: added > 0 || rows.length > unfit.length, lacking }
}

/** Reads the rows of this Controller; undefined when the Agent does not show the table. */
async function ownRows(agent: AgentLink): Promise<Row[] | undefined> {
  const reply = await agent.request('get', { param_paths: [`${TABLE}*.`], max_depth: 1 })
  if (!reply.ok) return undefined
  return reply.body.req_path_results
    .flatMap((result) => result.resolved_path_results)
    .filter((row) => isOwnRow(row.result_params.Recipient, agent.ownRow))
    .map((row) => ({ path: row.resolved_path, params: row.result_params }))
}

/** Returns the rows to delete, to enable and to add. Without the model of the Agent any ReferenceList is accepted. */
function compare(rows: Row[], wanted: Wanted[], exact: boolean): { unfit: Row[]; idle: Row[]; missing: Wanted[] } {
  const missing: Wanted[] = []
  const good = new Set<Row>()
  for (const want of wanted) {
    const fit = rows.find(
      ({ params }) =>
        params.ID === want.ID &&
        params.NotifType === want.NotifType &&
        (!(exact || want.ID === FACTS_ID) || sameList(params.ReferenceList ?? '', want.ReferenceList)),
    )
    if (fit === undefined) missing.push(want)
    else good.add(fit)
  }
  const own = rows.filter(({ params }) => OWN_IDS.includes(params.ID ?? ''))
  const idle = [...good].filter(({ params }) => !isTrue(params.Enable) || !isTrue(params.NotifRetry ?? 'true'))
  return { unfit: own.filter((row) => !good.has(row)), idle, missing }
}

/** Deletes rows; returns those that could not be deleted. */
async function remove(agent: AgentLink, rows: Row[], deps: SubscriptionDeps): Promise<Row[]> {
  const reply = await agent.request('delete', { allow_partial: true, obj_paths: rows.map(({ path }) => path) })
  const results: DeleteResp['deleted_obj_results'] = reply.ok ? reply.body.deleted_obj_results : []
  const whole = reply.ok ? undefined : reply.error.err_msg
  const kept: Row[] = []
  for (const [i, row] of rows.entries()) {
    const status = resultOf(results, row.path, i)?.oper_status
    const errors = status?.oper_success?.unaffected_path_errs
    const ok = errors !== undefined && errors.length === 0
    const reason = whole ?? status?.oper_failure?.err_msg ?? errors?.[0]?.err_msg ?? 'no answer for this row'
    if (!ok) kept.push(row)
    await note(agent, 'subscription.delete', { before: { path: row.path, ID: row.params.ID ?? '' } }, ok, reason, deps)
  }
  return kept
}

async function enable(agent: AgentLink, rows: Row[], deps: SubscriptionDeps): Promise<void> {
  const param_settings = ['Enable', 'NotifRetry'].map((param) => ({
    param,
    value: 'true',
    required: param === 'Enable',
  }))
  const update_objs = rows.map(({ path }) => ({ obj_path: path, param_settings }))
  const reply = await agent.request('set', { allow_partial: true, update_objs })
  for (const [i, row] of rows.entries()) {
    const status = reply.ok ? resultOf(reply.body.updated_obj_results, row.path, i)?.oper_status : undefined
    const ok = status?.oper_success !== undefined
    const reason = reply.ok ? (status?.oper_failure?.err_msg ?? 'no answer for this row') : reply.error.err_msg
    await note(agent, 'subscription.enable', { after: { path: row.path, ID: row.params.ID ?? '' } }, ok, reason, deps)
  }
}

/**
 * Adds rows with one Add, or one by one when the Agent refuses the whole Message. Returns the number of added rows, and
 * `lacking`.
 */
async function addRows(agent: AgentLink, wanted: Wanted[], deps: SubscriptionDeps): Promise<Added> {
  const create_objs = wanted.map((row) => ({
    obj_path: TABLE,
    param_settings: Object.entries({ ...row, ...SETTINGS }).map(([param, value]) => ({
      param,
      value,
      required: !OPTIONAL_SETTINGS.includes(param),
    })),
  }))
  const reply = await agent.request('add', { allow_partial: true, create_objs })
  if (!reply.ok && wanted.length > 1) {
    const all: Added = { added: 0, lacking: false }
    for (const row of wanted) {
      const one = await addRows(agent, [row], deps)
      all.added += one.added
      all.lacking ||= one.lacking
    }
    return all
  }
  let lacking = false
  let added = 0
  // They share one write of the audit log.
  const notes: Promise<void>[] = []
  const results: AddResp['created_obj_results'] = reply.ok ? reply.body.created_obj_results : []
  for (const [i, row] of wanted.entries()) {
    // Results come in the order of the request: all have the same path.
    const { oper_success, oper_failure } = results[i]?.oper_status ?? {}
    const failure = reply.ok ? oper_failure : reply.error
    // 7025: the row exists, but was not in the answer to the Get.
    if (oper_success !== undefined || failure?.err_code === 7025) added++
    if (failure?.err_code === 7025) continue
    const reason = failure === undefined ? 'no answer for this row' : `${failure.err_code}: ${failure.err_msg}`
    if (failure !== undefined && row.ID !== FACTS_ID && LACKING.includes(failure.err_code)) lacking = true
    notes.push(note(agent, 'subscription.add', { after: { ...row } }, oper_success !== undefined, reason, deps))
  }
  await Promise.all(notes)
  return { added, lacking }
}

/** Returns the result of a path by its name, or by its place where the Agent writes the path in another form. */
function resultOf<R extends { requested_path: string }>(results: R[], path: string, at: number): R | undefined {
  return results.find(({ requested_path }) => requested_path === path) ?? results[at]
}

async function note(
  agent: AgentLink,
  action: string,
  what: { before?: Record<string, unknown>; after?: Record<string, unknown> },
  ok: boolean,
  reason: string,
  { audit, log, first, now }: SubscriptionDeps,
): Promise<void> {
  const target = agent.device?.id ?? agent.endpointId
  if (!ok) log.info({ deviceId: target, action, ...what, reason }, 'the Agent refused a change of a subscription')
  const entry = { at: now, actor: 'system', action, target, ...what }
  if (ok || first)
    await audit(ok ? { ...entry, result: 'ok' } : { ...entry, result: 'refused', reason: reason.slice(0, 500) })
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}
