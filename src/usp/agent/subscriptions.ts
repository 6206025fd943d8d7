import type { TreeView } from '../../datamodel/index.ts'

/** A subscription row in force. */
export interface ActiveSubscription {
  id: string
  type: string
  references: string[]
  retry: boolean
}

/** The enabled subscriptions of a Controller (row path with its dot). */
export function subscriptionsOf(view: TreeView, controller: string): ActiveSubscription[] {
  const recipient = controller.replace(/\.$/, '')
  return view.instances('Device.LocalAgent.Subscription.').flatMap((row) => {
    if (view.get(`${row}Enable`) !== 'true' || view.get(`${row}Recipient`) !== recipient) return []
    return [
      {
        id: view.get(`${row}ID`) ?? '',
        type: view.get(`${row}NotifType`) ?? '',
        references: (view.get(`${row}ReferenceList`) ?? '').split(',').map((reference) => reference.trim()),
        retry: view.get(`${row}NotifRetry`) === 'true',
      },
    ]
  })
}

/** Whether a path is meant by a reference: the path itself, anything below an object path, `*` for any instance. */
export function matchesReference(reference: string, path: string): boolean {
  if (reference === path) return true
  if (!reference.includes('*')) return reference.endsWith('.') && path.startsWith(reference)
  const pattern = reference
    .split('.')
    .map((part) => (part === '*' ? '\\d+' : part.replace(/[^\w{}-]/g, '\\$&')))
    .join('\\.')
  return new RegExp(`^${pattern}${reference.endsWith('.') ? '' : '$'}`).test(path)
}
