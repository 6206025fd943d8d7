import { objectOf } from '../../../datamodel/index.ts'
import {
  changeSubscriptions,
  type ExecuteHooks,
  failedResult,
  type OperationResult,
  outcomeError,
  type RequestFor,
  resultOf,
} from '../../../domain/index.ts'
import type { CwmpFault } from '../../wire/index.ts'
import type { Session } from '../session/session.ts'
import { refused } from './outcome.ts'

type Notifications = ReturnType<typeof changeSubscriptions>['notifications']

/** Begins or ends a subscription to value changes, which a CPE has as notification attributes of its parameters. */
export async function subscribe(
  session: Session,
  request: RequestFor<'subscribe'>,
  hooks: ExecuteHooks,
): Promise<OperationResult> {
  if (request.notifType !== 'ValueChange') {
    return failedResult(outcomeError('notSupported', `CWMP notifies of value changes only, not ${request.notifType}`))
  }
  const { cwmp } = session.device
  const { notifications, subscriptions } = changeSubscriptions(cwmp?.subscriptions ?? [], request)
  if (notifications.length > 0) {
    await hooks.beforeSend()
    const wanted = new Set(request.enable ? request.paths : [])
    const fault = await notify(session, notifications, wanted)
    if (fault !== undefined) return refused(fault)
  }
  // Later operations of this session use it; the engine stores it.
  if (cwmp !== undefined) session.device = { ...session.device, cwmp: { ...cwmp, subscriptions } }
  return resultOf(request.paths.map((path) => ({ path })))
}

/** Faults by which CPE refuse a request for one name that they do not have. */
const UNKNOWN_NAME = new Set([9003, 9005])

/**
 * Sets notification attributes; resolves with the fault that keeps the `wanted` ones from it. One unknown name fails the
 * whole request, and rows that a subscription of before names may be gone: they are left out then.
 */
async function notify(
  session: Session,
  notifications: Notifications,
  wanted: ReadonlySet<string>,
): Promise<CwmpFault | undefined> {
  const fault = await setAttributes(session, notifications)
  if (fault === undefined || !UNKNOWN_NAME.has(fault.code)) return fault
  const others = notifications.map(({ path }) => path).filter((path) => !wanted.has(path))
  const gone = await goneOf(session, others)
  const left = notifications.filter(({ path }) => !gone.has(path))
  return left.length === notifications.length ? fault : setAttributes(session, left)
}

/** Returns those of some paths that a CPE does not list in their objects. */
async function goneOf(session: Session, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  for (const object of new Set(paths.map(objectOf))) {
    const answer = await session.call('GetParameterNames', { ParameterPath: object, NextLevel: true })
    if (!answer.ok && answer.fault.code !== 9005) continue
    const names = new Set(answer.ok ? [object, ...answer.body.ParameterList.map(({ Name }) => Name)] : [])
    for (const path of paths) if (objectOf(path) === object && !names.has(path)) gone.add(path)
  }
  return gone
}

async function setAttributes(session: Session, notifications: Notifications): Promise<CwmpFault | undefined> {
  if (notifications.length === 0) return undefined
  const answer = await session.call('SetParameterAttributes', {
    ParameterList: notifications.map(({ path, level }) => ({
      Name: path,
      NotificationChange: true,
      Notification: level,
      AccessListChange: false,
      AccessList: [],
    })),
  })
  return answer.ok ? undefined : answer.fault
}
