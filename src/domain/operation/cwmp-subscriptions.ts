import type { CwmpSubscription } from '../device/device.ts'
import type { OperationRequest } from './operation.ts'

/** At most so many are remembered of one device. */
const MAX = 64

/**
 * The change that a `subscribe` makes on a CPE, which has notification attributes of parameters and no subscriptions.
 */
interface SubscriptionChange {
  /** Paths to be notified of. */
  on: string[]
  /** Paths of which no subscription is left. */
  off: string[]
  /** The subscriptions that stand after it. */
  subscriptions: CwmpSubscription[]
}

/**
 * Works a `subscribe` out against the subscriptions that stand: one of the same ID is replaced, as an Agent replaces
 * its row, and a path stays on as long as any of them names it.
 */
export function changeSubscriptions(
  standing: readonly CwmpSubscription[],
  { id, paths, enable }: Extract<OperationRequest, { verb: 'subscribe' }>,
): SubscriptionChange {
  const others = standing.filter((subscription) => subscription.id !== id)
  const before = standing.find((subscription) => subscription.id === id)?.paths ?? []
  const wanted = new Set([...others.flatMap((subscription) => subscription.paths), ...(enable ? paths : [])])
  const off = [...new Set([...before, ...(enable ? [] : paths)])].filter((path) => !wanted.has(path))
  const subscriptions = enable ? [...others, { id, paths }] : others
  return { on: enable ? paths : [], off, subscriptions: subscriptions.slice(-MAX) }
}
