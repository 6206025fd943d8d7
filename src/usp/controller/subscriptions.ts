import { errorText } from '../../base/index.ts'
import type { SupportedModel } from '../../device/index.ts'
import type { AuditLog } from '../../security/index.ts'
import type { AgentLink } from './agent-link.ts'

const TABLE = 'Device.LocalAgent.Subscription.'

interface Wanted {
  ID: string
  NotifType: string
  ReferenceList: string
}

/** Tables whose rows coming and going matter to a record. */
const WATCHED_TABLES = [
  'Device.IP.Interface.',
  'Device.WiFi.SSID.',
  'Device.WiFi.AccessPoint.',
  'Device.LocalAgent.Controller.',
]
const WATCHED_VALUES = ['Device.DeviceInfo.SoftwareVersion', 'Device.DeviceInfo.ProvisioningCode']

/** Our own subscriptions on an Agent, restricted to what it has (TR-369 20.3). */
export function wantedSubscriptions(supported: SupportedModel | undefined): Wanted[] {
  const has = (table: string) =>
    supported === undefined || supported.objects.some((object) => object.path === `${table}{i}.`)
  const tables = WATCHED_TABLES.filter(has)
  const rows: Wanted[] = [
    { ID: 'isthmus-boot', NotifType: 'Event', ReferenceList: 'Device.Boot!' },
    { ID: 'isthmus-periodic', NotifType: 'Event', ReferenceList: 'Device.LocalAgent.Periodic!' },
    { ID: 'isthmus-transfer', NotifType: 'Event', ReferenceList: 'Device.LocalAgent.TransferComplete!' },
    { ID: 'isthmus-value', NotifType: 'ValueChange', ReferenceList: WATCHED_VALUES.join(',') },
    { ID: 'isthmus-complete', NotifType: 'OperationComplete', ReferenceList: 'Device.' },
  ]
  if (tables.length > 0) {
    rows.push({ ID: 'isthmus-created', NotifType: 'ObjectCreation', ReferenceList: tables.join(',') })
    rows.push({
      ID: 'isthmus-deleted',
      NotifType: 'ObjectDeletion',
      ReferenceList: tables.map((table) => `${table}*.`).join(','),
    })
  }
  return rows
}

/**
 * Makes an Agent's subscriptions what we want, known by their ID: one Get when nothing is to change. A row with another ReferenceList is
 * deleted and added, because that list is immutable. Every change is audited. Answers how many rows were touched.
 */
export async function ensureSubscriptions(
  agent: AgentLink,
  ownRow: string,
  supported: SupportedModel | undefined,
  audit: AuditLog,
  now: number,
): Promise<number> {
  const reply = await agent.request('get', { param_paths: [`${TABLE}*.`], max_depth: 1 })
  if (!reply.ok) throw new Error(`subscriptions cannot be read: ${reply.error.err_msg}`)
  const rows = reply.body.req_path_results
    .flatMap((result) => result.resolved_path_results)
    .filter((row) => isOwn(row.result_params.Recipient, ownRow))
  const wanted = wantedSubscriptions(supported)
  const wrong: string[] = []
  const missing: Wanted[] = []
  for (const want of wanted) {
    const found = rows.filter((row) => row.result_params.ID === want.ID)
    const good = found.find(
      (row) =>
        row.result_params.ReferenceList === want.ReferenceList &&
        row.result_params.NotifType === want.NotifType &&
        isTrue(row.result_params.Enable),
    )
    if (good === undefined) missing.push(want)
    wrong.push(...found.filter((row) => row !== good).map((row) => row.resolved_path))
  }
  if (wrong.length > 0) await agent.request('delete', { allow_partial: true, obj_paths: wrong })
  if (missing.length > 0) await addRows(agent, missing)
  const target = agent.device?.id ?? agent.endpointId
  for (const path of wrong)
    await audit.append({
      at: now,
      actor: 'system',
      action: 'subscription.delete',
      target,
      before: { path },
      result: 'ok',
    })
  for (const row of missing)
    await audit.append({
      at: now,
      actor: 'system',
      action: 'subscription.add',
      target,
      after: { ...row },
      result: 'ok',
    })
  return wrong.length + missing.length
}

async function addRows(agent: AgentLink, rows: Wanted[]): Promise<void> {
  const create_objs = rows.map((row) => ({
    obj_path: TABLE,
    param_settings: Object.entries({ ...row, Persistent: 'true', NotifRetry: 'true', Enable: 'true' }).map(
      ([param, value]) => ({ param, value, required: true }),
    ),
  }))
  const reply = await agent.request('add', { allow_partial: true, create_objs })
  if (!reply.ok) throw new Error(`subscriptions cannot be added: ${errorText(reply.error.err_msg)}`)
}

function isOwn(recipient: string | undefined, ownRow: string): boolean {
  return recipient === undefined || recipient === '' || recipient.replace(/\.$/, '') === ownRow.replace(/\.$/, '')
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}
