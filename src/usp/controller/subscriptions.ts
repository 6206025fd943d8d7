import type { Log } from '../../base/index.ts'
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

/** Settings that make a subscription better and that an Agent may refuse. */
export const OPTIONAL_SETTINGS: readonly string[] = ['Persistent', 'NotifRetry']
const SETTINGS = { Persistent: 'true', NotifRetry: 'true', Enable: 'true' }

/** Tables whose rows coming and going matter to a record. */
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
/** Errors with which Agents refuse a ReferenceList that names what they do not have: arguments, value, path. */
const LACKING: readonly number[] = [7004, 7010, 7011, 7012, 7016, 7026]
/** Every ID that a Controller of ours gives its own subscriptions: such a row that is not wanted any more is taken away. */
const OWN_IDS: readonly string[] = [
  ...EVENTS.map(([id]) => id),
  'isthmus-value',
  'isthmus-complete',
  'isthmus-created',
  'isthmus-deleted',
]

/** Our own subscriptions on an Agent, restricted to what it has (TR-369 20.3); undefined facts restrict nothing. */
function wantedSubscriptions(facts: ModelFacts | undefined): Wanted[] {
  const has = (path: string) => facts === undefined || facts.has(path)
  // Every Agent boots, whatever its model lists at the root.
  const rows: Wanted[] = EVENTS.filter(([, event]) => event === 'Device.Boot!' || has(event)).map(([ID, event]) => ({
    ID,
    NotifType: 'Event',
    ReferenceList: event,
  }))
  const values = WATCHED_VALUES.filter(has)
  if (values.length > 0) rows.push({ ID: 'isthmus-value', NotifType: 'ValueChange', ReferenceList: values.join(',') })
  rows.push({ ID: 'isthmus-complete', NotifType: 'OperationComplete', ReferenceList: 'Device.' })
  const tables = WATCHED_TABLES.filter(has)
  if (tables.length > 0) {
    rows.push({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: tables.join(',') })
    const below = tables.map((table) => `${table}*.`).join(',')
    rows.push({ ID: 'isthmus-deleted', NotifType: 'ObjectDeletion', ReferenceList: below })
  }
  return rows
}

/** Paths whose support decides what is subscribed to. */
export const WATCHED_PATHS = [...EVENTS.map(([, event]) => event), ...WATCHED_VALUES, ...WATCHED_TABLES]

interface SubscriptionDeps {
  audit(entry: AuditEntry): Promise<void>
  log: Log
  /** The first time for this firmware: what is refused then is audited, and not at each arrival after it. */
  first: boolean
  now: number
}

/** The state that was found and made. */
interface Ensured {
  /** The Agent showed its table, and nothing of ours was in it. */
  none: boolean
  /** It has one of ours now. */
  stands: boolean
  /** It refused a row as if it did not have what the row names. */
  lacking: boolean
}

type Added = Pick<Ensured, 'lacking'> & { added: number }

interface Row {
  path: string
  params: Record<string, string>
}

/**
 * Makes an Agent's subscriptions what we want, known by their ID: one Get when nothing is to change. A row with another ReferenceList is
 * deleted and added, because that list is immutable; one that is only switched off is switched on; one of ours that nobody wants any more
 * goes. What the Agent refuses is no failure of ours: it is audited once and tried again at its next arrival.
 */
export async function ensureSubscriptions(
  agent: AgentLink,
  facts: ModelFacts | undefined,
  deps: SubscriptionDeps,
): Promise<Ensured> {
  const shown = await ownRows(agent)
  const rows = shown ?? []
  const none = shown !== undefined && !rows.some(({ params }) => OWN_IDS.includes(params.ID ?? ''))
  const { unfit, idle, missing } = compare(rows, wantedSubscriptions(facts), facts !== undefined)
  const kept = unfit.length === 0 ? [] : await remove(agent, unfit, deps)
  if (idle.length > 0) await enable(agent, idle, deps)
  // A row that could not be deleted still holds its ID.
  const free = missing.filter(({ ID }) => !kept.some((row) => row.params.ID === ID))
  const { added, lacking } = free.length > 0 ? await addRows(agent, free, deps) : { added: 0, lacking: false }
  return { none, stands: added > 0 || rows.length > unfit.length, lacking }
}

/** Rows of our own Controller; undefined when the Agent does not show the table. */
async function ownRows(agent: AgentLink): Promise<Row[] | undefined> {
  const reply = await agent.request('get', { param_paths: [`${TABLE}*.`], max_depth: 1 })
  if (!reply.ok) return undefined
  return reply.body.req_path_results
    .flatMap((result) => result.resolved_path_results)
    .filter((row) => isOwnRow(row.result_params.Recipient, agent.ownRow))
    .map((row) => ({ path: row.resolved_path, params: row.result_params }))
}

/** What to delete, to switch on and to add. Without the Agent's model a row's own list is as good as ours. */
function compare(rows: Row[], wanted: Wanted[], exact: boolean): { unfit: Row[]; idle: Row[]; missing: Wanted[] } {
  const missing: Wanted[] = []
  const good = new Set<Row>()
  for (const want of wanted) {
    const fit = rows.find(
      ({ params }) =>
        params.ID === want.ID &&
        params.NotifType === want.NotifType &&
        (!exact || sameList(params.ReferenceList ?? '', want.ReferenceList)),
    )
    if (fit === undefined) missing.push(want)
    else good.add(fit)
  }
  const ours = rows.filter(({ params }) => OWN_IDS.includes(params.ID ?? ''))
  const idle = [...good].filter(({ params }) => !isTrue(params.Enable) || !isTrue(params.NotifRetry ?? 'true'))
  return { unfit: ours.filter((row) => !good.has(row)), idle, missing }
}

/** Answers the rows that stayed. */
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

/** All in one Add; an Agent that refuses the whole Message for one of them gets them one by one. Returns how many it took, and `lacking` of Ensured. */
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
  const results: AddResp['created_obj_results'] = reply.ok ? reply.body.created_obj_results : []
  for (const [i, row] of wanted.entries()) {
    // Results come in the order of the request: all have the same path.
    const { oper_success, oper_failure } = results[i]?.oper_status ?? {}
    const failure = reply.ok ? oper_failure : reply.error
    // It is there, where we could not see it.
    if (oper_success !== undefined || failure?.err_code === 7025) added++
    if (failure?.err_code === 7025) continue
    const reason = failure === undefined ? 'no answer for this row' : `${failure.err_code}: ${failure.err_msg}`
    if (failure !== undefined && LACKING.includes(failure.err_code)) lacking = true
    await note(agent, 'subscription.add', { after: { ...row } }, oper_success !== undefined, reason, deps)
  }
  return { added, lacking }
}

/** The result of a path: by its name, or by its place where the Agent writes the path in another way. */
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

/** Whether a row's Recipient is our own Controller row; a row that names none is taken for ours. */
export function isOwnRow(recipient: string | undefined, ownRow: string): boolean {
  return recipient === undefined || recipient === '' || recipient.replace(/\.$/, '') === ownRow.replace(/\.$/, '')
}

function sameList(a: string, b: string): boolean {
  const items = (list: string) =>
    list
      .split(',')
      .map((item) => item.trim())
      .sort()
      .join(',')
  return items(a) === items(b)
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}
