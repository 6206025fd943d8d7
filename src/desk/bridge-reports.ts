import type { Bridge, BridgeRouter, BridgeStore, NewEvent, RouterState } from '../domain/index.ts'
import { type JoinDeps, joinRouter } from './join-router.ts'

interface ReportDeps extends JoinDeps {
  bridges: BridgeStore
}

/** The state of one router in a report. */
export type ReportedState = Omit<RouterState, 'reportedAt'> & { routerId: string }

/**
 * Stores what a bridge reports of its routers; durable when it resolves, and repeating it changes nothing. Routers that
 * the bridge does not have any more are left out. A router that comes, goes, or states another identity is an event. A
 * router that has a CWMP record is bound to that, before its Agent gets a certificate: one router is one record.
 */
export async function reportRouters(
  deps: ReportDeps,
  bridge: Bridge,
  reported: readonly ReportedState[],
): Promise<void> {
  const { bridges, clock } = deps
  const at = clock.now()
  const states = new Map<string, RouterState>()
  const events: NewEvent[] = []
  for (const { routerId, ...state } of reported) {
    const router = await bridges.router(bridge.id, routerId)
    if (router === undefined) continue
    states.set(routerId, { ...state, reportedAt: at })
    if (isNews(router, state)) events.push(eventOf(router, state, at))
  }
  await bridges.report(bridge.id, states, events)
  for (const { reachable, identity } of states.values())
    if (reachable && identity !== undefined) await joinRouter(deps, identity)
}

function isNews({ state: before }: BridgeRouter, { reachable, identity }: Omit<RouterState, 'reportedAt'>): boolean {
  return before?.reachable !== reachable || before.identity?.endpointId !== identity?.endpointId
}

function eventOf(
  { id, bridgeId, address }: BridgeRouter,
  { reachable, identity, lastError }: Omit<RouterState, 'reportedAt'>,
  at: number,
): NewEvent {
  const data = { bridgeId, routerId: id, address, reachable, endpointId: identity?.endpointId, error: lastError }
  return { type: 'router.stateChanged', at, data: JSON.parse(JSON.stringify(data)) as NewEvent['data'] }
}
