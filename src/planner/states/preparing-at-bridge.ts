import {
  type BridgeRouter,
  bootstrapOf,
  type DeviceSnapshot,
  isBridgeConnected,
  type MemberFacts,
  wasResetSince,
} from '../../domain/index.ts'
import { MustWait, StepFailed } from '../../rollout/index.ts'
import type { Outcome, Script, StepResult } from '../machine/script.ts'
import { bind } from './bind.ts'
import { atLeast, changeRow, rowFor } from './bridge-row.ts'
import { INFORM_INTERVAL } from './rows.ts'

/** A bridge asks for its rows every five seconds. */
const LOOK_MS = 2000
const MAX_REASON = 400

/**
 * PREPARING of a router whose Agent a bridge is: nothing is written on the router. The inform interval is read over CWMP
 * and stored with the row as the snapshot, the Endpoint ID of the Agent is bound, the bridge is asked to run the Agent
 * with the policy of the plan, and it must have found that the rights of its account are enough.
 */
export async function preparingAtBridge(script: Script): Promise<Outcome> {
  await script.derived('quiet', async () => {
    await script.quiet()
    return {}
  })
  await script.step('snapshot', () => snapshotAtBridge(script))
  const conflict = await bind(script, 'bridge')
  if (conflict !== undefined) return conflict
  await script.step('row', () => switchOn(script))
  await script.step('rights', () => rights(script))
  const { endpointId = '', router = '', interval = '' } = script.facts
  return { kind: 'event', event: 'prepared', evidence: { endpointId, router, interval } }
}

async function snapshotAtBridge(script: Script): Promise<StepResult> {
  const { deps, plan, member } = script
  const { controller } = plan.settings
  if (!controller.tls)
    throw new StepFailed(
      'bridgeNeedsTls',
      'the Agents of a bridge are known by their certificates: USP of the server needs TLS',
      false,
    )
  const before = await script.device()
  const left = await script.snapshot()
  const earlier = wasResetSince(left?.bootstrapAt, before) ? undefined : left
  const row = await rowFor(script, before, earlier?.bridge)
  const read = await script.read(`snapshot ${bootstrapOf(before)}`, [INFORM_INTERVAL], 'cwmp')
  const place = { bridgeId: row.bridgeId, routerId: row.id }
  const interval = earlier?.slept === true ? earlier.interval : read.get(INFORM_INTERVAL)?.value
  const isSameRow = earlier?.bridge?.bridgeId === row.bridgeId && earlier.bridge.routerId === row.id
  const bootstrapAt = bootstrapOf(before) || (earlier?.bootstrapAt ?? 0)
  const snapshot: DeviceSnapshot = {
    deviceId: member.deviceId,
    planId: plan.id,
    at: deps.clock.now(),
    controller: { endpointId: controller.endpointId, host: controller.host },
    bootstrapAt,
    ...(interval === undefined ? {} : { interval }),
    slept: earlier?.slept ?? false,
    trust: { role: false, credential: false },
    created: [],
    bridge: { ...place, policy: (isSameRow ? earlier.bridge?.policy : undefined) ?? row.policy },
  }
  const facts: Partial<MemberFacts> = {
    endpointId: row.endpointId,
    bootstrapAt,
    bridge: place,
    ...(interval === undefined ? {} : { interval }),
  }
  return { facts, snapshot }
}

async function switchOn(script: Script): Promise<StepResult> {
  const policy = script.plan.settings.bridge?.policy ?? 'L1'
  const row = await changeRow(script, script.require('bridge'), (present) => ({
    agent: true,
    policy: atLeast(present.policy, policy),
  }))
  if (row === undefined) throw rowGone()
  return {}
}

/** Waits until the bridge has taken the row and has looked at the rights of its account. */
async function rights(script: Script): Promise<StepResult> {
  const { deps } = script
  const { bridgeId, routerId } = script.require('bridge')
  const [bridge, row] = await Promise.all([deps.bridges.get(bridgeId), deps.bridges.router(bridgeId, routerId)])
  if (bridge === undefined || row === undefined) throw rowGone()
  const { state } = row
  if (!isBridgeConnected(bridge, deps.clock.now())) waitOrFail(script, 'bridgeAway', `bridge ${bridge.name} is away`)
  if (state === undefined || state.revision < row.revision)
    waitOrFail(script, 'bridgeAway', `bridge ${bridge.name} has not reported the router after its row changed`)
  if (state?.reachable !== true)
    waitOrFail(
      script,
      'routerUnreachable',
      `bridge ${bridge.name} does not reach the router: ${state?.lastError ?? 'no reason'}`,
    )
  if (state?.unfit === true) throw new StepFailed('missingRights', missingText(row), false)
  return { facts: { router: `${bridge.name} at ${row.address}` } }
}

function missingText({ state, policy }: BridgeRouter): string {
  const missing = (state?.missingRights ?? []).join('; ').slice(0, MAX_REASON)
  return `the account of the bridge may not do what policy ${policy} is for: ${missing}`
}

function waitOrFail({ deps, member, plan }: Script, code: 'bridgeAway' | 'routerUnreachable', text: string): void {
  const { time } = deps
  const waitedMs = time.now() - Math.max(member.enteredMs, time.silenceCountsFrom)
  if (waitedMs < plan.settings.awaitUspTimeoutMs) throw new MustWait('agent', LOOK_MS)
  throw new StepFailed(code, text, true)
}

function rowGone(): StepFailed {
  return new StepFailed('noBridge', 'the row of the router at its bridge was deleted', true)
}
