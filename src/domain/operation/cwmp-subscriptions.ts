import type { CwmpSubscription } from '../device/device.ts'
import type { OperationRequest } from './operation.ts'

/** At most so many are remembered of one device. */
const MAX = 64

type SubscribeRequest = Extract<OperationRequest, { verb: 'subscribe' }>

/** The notification attribute of a parameter, or of all below a partial path (TR-069 A.3.2.4). */
interface Notification {
  path: string
  /** 0: off, 1: with the next Inform, 2: at once. */
  level: 0 | 1 | 2
}

/**
 * The change that a `subscribe` makes on a CPE, which has notification attributes of parameters and no subscriptions.
 */
interface SubscriptionChange {
  /** In the order in which they are to be set: what is below an object comes after it. */
  notifications: Notification[]
  /** The subscriptions that stand after it. */
  subscriptions: CwmpSubscription[]
}

/**
 * Works a `subscribe` in the CPE's own paths out against the subscriptions that stand: one of the same ID is replaced,
 * as an Agent replaces its row. A path keeps the highest level of all that name it or an object above it.
 */
export function changeSubscriptions(
  standing: readonly CwmpSubscription[],
  { id, paths, enable, passive }: SubscribeRequest,
  recorded: Pick<CwmpSubscription, 'asked' | 'bootstrapAt'> = {},
): SubscriptionChange {
  const others = standing.filter((subscription) => subscription.id !== id)
  const before = standing.find((subscription) => subscription.id === id)?.paths ?? []
  const made: CwmpSubscription = { id, paths, ...(passive === true ? { passive } : {}), ...recorded }
  const after = enable ? [...others, made] : others
  const touched = new Set([...before, ...paths])
  // An attribute that is set on an object is set on all below it, and what others have asked for there is set again.
  for (const { paths: theirs } of others)
    for (const path of theirs) if ([...touched].some((above) => covers(above, path))) touched.add(path)
  const notifications = [...touched]
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
    .map((path) => ({ path, level: levelOf(path, after) }))
  return { notifications, subscriptions: after.slice(-MAX) }
}

function levelOf(path: string, subscriptions: readonly CwmpSubscription[]): 0 | 1 | 2 {
  const levels = subscriptions.flatMap(({ paths, passive }) =>
    paths.some((above) => covers(above, path)) ? [passive === true ? 1 : 2] : [],
  )
  return levels.includes(2) ? 2 : levels.includes(1) ? 1 : 0
}

/** True for a path itself, and for what is below an object. */
function covers(above: string, path: string): boolean {
  return above === path || (above.endsWith('.') && path.startsWith(above))
}
