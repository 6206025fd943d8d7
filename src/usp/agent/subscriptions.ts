import type { Access } from './access/access.ts'
import type { Column } from './access/permission.ts'
import { splitList } from './lists.ts'
import type { ModelReader } from './model-reader.ts'
import { SUBSCRIPTIONS } from './owned-tables.ts'

/** A subscription row in force (TR-181 LocalAgent.Subscription). */
export interface ActiveSubscription {
  row: string
  /** Row of the Controller that gets its notifications. */
  controller: string
  id: string
  type: string
  references: string[]
  retry: boolean
  /** Seconds of retrying; 0 = until it is delivered. */
  expirationS: number
}

const NAMES = [
  'Enable',
  'Recipient',
  'TriggerAction',
  'ID',
  'NotifType',
  'ReferenceList',
  'NotifRetry',
  'NotifExpiration',
] as const

/** Resolves with the subscriptions that are enabled and notify somebody. */
export async function readSubscriptions(reader: ModelReader): Promise<ActiveSubscription[]> {
  const rows = await reader.rows(SUBSCRIPTIONS)
  const all = await reader.textsOf(rows, NAMES)
  return rows.flatMap((row, i) => {
    const texts = all[i]
    const subscription = texts === undefined ? undefined : subscriptionOf(row, texts)
    return subscription ?? []
  })
}

function subscriptionOf(row: string, texts: Record<(typeof NAMES)[number], string>): ActiveSubscription | undefined {
  // The default of TriggerAction is Notify; with Config nothing is sent.
  if (texts.Enable !== 'true' || texts.TriggerAction === 'Config') return undefined
  return {
    row,
    controller: `${texts.Recipient}.`,
    id: texts.ID,
    type: texts.NotifType,
    references: splitList(texts.ReferenceList),
    retry: texts.NotifRetry === 'true',
    expirationS: Number(texts.NotifExpiration) || 0,
  }
}

/** Returns true for a reference that only a search in the model resolves: with an expression or a followed reference. */
export function isSearched(reference: string): boolean {
  return /[[+]/.test(reference)
}

/**
 * Returns true when a reference means a path: the path itself, anything below an object path, `*` for any instance, or
 * what a search has `found`.
 */
export function matchesReference(reference: string, found: readonly string[] | undefined, path: string): boolean {
  if (reference === path) return true
  if (isSearched(reference)) return found?.some((wanted) => isMeant(wanted, path)) === true
  if (!reference.includes('*')) return isMeant(reference, path)
  const pattern = reference
    .split('.')
    .map((part) => (part === '*' ? '\\d+' : part.replace(/[^\w{}-]/g, '\\$&')))
    .join('\\.')
  return new RegExp(`^${pattern}${reference.endsWith('.') ? '' : '$'}`).test(path)
}

function isMeant(reference: string, path: string): boolean {
  return reference === path || (reference.endsWith('.') && path.startsWith(reference))
}

/** Returns true for a value of a subscription row that this Agent cannot act on: it notifies, and configures nothing. */
export function isUnsupported(table: string, param: string, value: string): boolean {
  return table.startsWith(SUBSCRIPTIONS) && param === 'TriggerAction' && value !== 'Notify'
}

/** The column of permissions that decides on the notifications of a NotifType. */
const COLUMNS: Readonly<Record<string, Column>> = {
  ValueChange: 'Param',
  ObjectCreation: 'Obj',
  ObjectDeletion: 'InstantiatedObj',
  OperationComplete: 'CommandEvent',
  Event: 'CommandEvent',
}

/** Returns true when a Controller may be notified of a thing of the given NotifType at a path. */
export function mayBeNotified(access: Access, type: string, path: string): boolean {
  const column = COLUMNS[type]
  if (column === undefined) return false
  return access.has(column, 'n', column === 'Obj' ? `${path}{i}.` : path)
}

/**
 * Returns the names of the values of a subscription row that its Controller may not write: a ReferenceList of which
 * nothing could ever be notified.
 */
export function deniedReferences(access: Access, table: string, values: Readonly<Record<string, string>>): string[] {
  const { NotifType = '', ReferenceList = '' } = values
  const column = COLUMNS[NotifType]
  if (!table.startsWith(SUBSCRIPTIONS) || column === undefined || ReferenceList === '') return []
  const mayRefer = splitList(ReferenceList).some(
    (reference) => reference.includes('+') || access.reaches([column], 'n', reference.replace(/\[[^\]]*\]/g, '*')),
  )
  return mayRefer ? [] : ['ReferenceList']
}
