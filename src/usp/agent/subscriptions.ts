import type { ModelReader } from './model-reader.ts'
import { resolve } from './resolve.ts'

export const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'

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
  const found = await Promise.all(rows.map((row) => readSubscription(reader, row)))
  return found.filter((subscription) => subscription !== undefined)
}

async function readSubscription(reader: ModelReader, row: string): Promise<ActiveSubscription | undefined> {
  const texts = await reader.texts(row, NAMES)
  // The default of TriggerAction is Notify; with Config nothing is sent.
  if (texts.Enable !== 'true' || texts.TriggerAction === 'Config') return undefined
  return {
    row,
    controller: `${texts.Recipient}.`,
    id: texts.ID,
    type: texts.NotifType,
    references: splitReferences(texts.ReferenceList),
    retry: texts.NotifRetry === 'true',
    expirationS: Number(texts.NotifExpiration) || 0,
  }
}

/** Splits a ReferenceList; a comma inside a search expression is not a separator. */
function splitReferences(list: string): string[] {
  const references: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < list.length; i++) {
    if (list[i] === '[') depth++
    else if (list[i] === ']') depth--
    else if (list[i] === ',' && depth === 0) {
      references.push(list.slice(start, i))
      start = i + 1
    }
  }
  return [...references, list.slice(start)].map((reference) => reference.trim()).filter((text) => text !== '')
}

/**
 * Resolves with true when a reference means a path: the path itself, anything below an object path, `*` for any
 * instance, or what a search finds now.
 */
export async function matchesReference(reader: ModelReader, reference: string, path: string): Promise<boolean> {
  if (reference === path) return true
  if (/[[+]/.test(reference)) return (await found(reader, reference)).some((wanted) => isMeant(wanted, path))
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

async function found(reader: ModelReader, reference: string): Promise<string[]> {
  try {
    const { objects, leaf } = await resolve(reader, reference)
    return objects.map((object) => object + leaf)
  } catch {
    // A reference may name an object that does not exist yet.
    return []
  }
}
