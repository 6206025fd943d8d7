import { retryOnConflict } from '../../base/index.ts'
import {
  type BridgeRouter,
  cwmpRecordOf,
  type Device,
  isRouterOf,
  ROUTER_POLICIES,
  type RouterPolicy,
} from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import type { Script } from '../machine/script.ts'

/** A row of a router at its bridge. */
interface RowPlace {
  bridgeId: string
  routerId: string
}

const CHANGE_ATTEMPTS = 5

/**
 * Resolves with the row by which a bridge speaks for the router: one that reaches it, `known` before others, within what
 * the plan allows. StepFailed `noBridge` when there is none, `identity` when another record is the same router as well.
 */
export async function rowFor(
  { deps, plan }: Script,
  device: Device,
  known: RowPlace | undefined,
): Promise<BridgeRouter & { endpointId: string }> {
  const { id, tag } = plan.settings.bridge ?? {}
  const rows = (await deps.bridges.routersOfSerial(device.serial)).filter(
    (row) =>
      isRouterOf(device, row) &&
      row.state?.reachable === true &&
      (id === undefined || row.bridgeId === id) &&
      (tag === undefined || row.tags.includes(tag)),
  )
  const fit = rows.filter(({ state }) => state?.unfit !== true)
  const row = rows.find((one) => one.bridgeId === known?.bridgeId && one.id === known.routerId) ?? fit[0] ?? rows[0]
  const identity = row?.state?.identity
  if (row === undefined || identity === undefined) {
    const within = id === undefined && tag === undefined ? '' : ' of those that the plan names (settings.bridge)'
    throw new StepFailed('noBridge', `no bridge${within} reaches the router with serial number ${device.serial}`, true)
  }
  const record = await cwmpRecordOf(identity, deps.devices)
  if (record === 'several' || (record !== undefined && record.id !== device.id))
    throw new StepFailed('identity', `several devices over CWMP have the serial number ${device.serial}`, false)
  return { ...row, endpointId: identity.endpointId }
}

/**
 * Changes whether the bridge runs an Agent for the router, and the policy of the row, where they are other ones. Resolves
 * with the row; undefined when it was deleted.
 */
export async function changeRow(
  { deps }: Script,
  { bridgeId, routerId }: RowPlace,
  wanted: (row: BridgeRouter) => { agent: boolean; policy: RouterPolicy },
): Promise<BridgeRouter | undefined> {
  return retryOnConflict(
    async () => {
      const row = await deps.bridges.router(bridgeId, routerId)
      if (row === undefined) return undefined
      const { agent, policy } = wanted(row)
      if ((row.agent ?? true) === agent && row.policy === policy) return row
      const changed = { ...row, agent, policy, revision: row.revision + 1, updatedAt: deps.clock.now() }
      await deps.bridges.changeRouters(bridgeId, { add: [], replace: [changed], remove: [] })
      return changed
    },
    { attempts: CHANGE_ATTEMPTS },
  )
}

/** Returns the policy that allows more. */
export function atLeast(policy: RouterPolicy, wanted: RouterPolicy): RouterPolicy {
  return ROUTER_POLICIES.indexOf(policy) < ROUTER_POLICIES.indexOf(wanted) ? wanted : policy
}
