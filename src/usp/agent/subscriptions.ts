import type { TreeView } from '../../tree/index.ts'
import { resolve } from './resolve.ts'

export const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'

/** A subscription row in force. */
export interface ActiveSubscription {
  row: string
  id: string
  type: string
  references: string[]
  retry: boolean
  /** Seconds of retrying; 0 = until delivered. */
  expirationS: number
}

/** The enabled subscriptions of a Controller (row path with its dot). */
export function subscriptionsOf(view: TreeView, controller: string): ActiveSubscription[] {
  const recipient = controller.replace(/\.$/, '')
  return view.instances(SUBSCRIPTIONS).flatMap((row) => {
    if (view.get(`${row}Enable`) !== 'true' || view.get(`${row}Recipient`) !== recipient) return []
    // The default of TriggerAction is Notify; Config alone tells nobody.
    if (view.get(`${row}TriggerAction`) === 'Config') return []
    return [
      {
        row,
        id: view.get(`${row}ID`) ?? '',
        type: view.get(`${row}NotifType`) ?? '',
        references: splitReferences(view.get(`${row}ReferenceList`) ?? ''),
        retry: view.get(`${row}NotifRetry`) === 'true',
        expirationS: Number(view.get(`${row}NotifExpiration`)) || 0,
      },
    ]
  })
}

/** Commas inside a search expression separate nothing. */
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

/** Whether a path is meant by a reference: the path itself, anything below an object path, `*` for any instance, what a search finds now. */
export function matchesReference(view: TreeView, reference: string, path: string): boolean {
  if (reference === path) return true
  if (/[[+]/.test(reference)) return found(view, reference).some((wanted) => isMeant(wanted, path))
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

function found(view: TreeView, reference: string): string[] {
  try {
    const { objects, leaf } = resolve(view, reference)
    return objects.map((object) => object + leaf)
  } catch {
    // What is not there is not meant; a reference may name what comes later.
    return []
  }
}
