import { type Device, pendingAgentId } from '../../domain/index.ts'
import type { EventOutcome } from '../../rollout/index.ts'
import { failed, type Outcome, type Script } from '../machine/script.ts'
import type { MemberStep } from '../machine/transition.ts'
import { endLink } from './end-link.ts'

/** A missing Agent is looked for this often; an event that shows it is faster. */
const LOOK_MS = 5000

/**
 * AWAITING_USP: the Agent dials in its own time; it is there when it answers. Only time in which it could be heard
 * counts.
 */
export async function awaitingUsp(script: Script): Promise<Outcome> {
  const device = await script.device()
  const conflict = await conflictOf(script, device)
  if (conflict !== undefined) return conflict
  if (device.usp?.linked === true && device.usp.weakLink === true) {
    // Its Agent was given a secret: a link that does not show it is somebody else's, or one from before.
    await endLink(script, device, 'policy')
  } else if (await script.agentAnswers(device)) {
    const { kind: _kind, ...followedBy } = await binding(script)
    return { kind: 'event', event: 'agentHere', followedBy }
  }
  const { awaitUspTimeoutMs } = script.plan.settings
  const { time } = script.deps
  const waitedMs = time.now() - Math.max(script.member.enteredMs, time.silenceCountsFrom)
  if (waitedMs >= awaitUspTimeoutMs) {
    const text = `no Agent connected within ${Math.round(awaitUspTimeoutMs / 1000)} s${await troubleOf(script)}`
    return failed({ code: 'agentDidNotCome', text }, true)
  }
  return { kind: 'wait', waiting: 'agent', afterMs: Math.min(LOOK_MS, awaitUspTimeoutMs) }
}

/**
 * Returns what the bridge reports of a router whose Agent it is; of other devices, the last refusal of the Agent in this
 * attempt; '' without one.
 */
async function troubleOf(script: Script): Promise<string> {
  const { facts, deps, member } = script
  if (facts.bridge === undefined) {
    const refused = await deps.pendingAgents.get(pendingAgentId(script.require('endpointId')))
    if (refused === undefined || refused.lastSeenAt < (member.startedAt ?? member.enteredAt)) return ''
    return `; its links are refused (${refused.reason}): ${refused.text}`
  }
  const row = await deps.bridges.router(facts.bridge.bridgeId, facts.bridge.routerId)
  return `; its bridge says: ${row?.state?.lastError ?? 'nothing'}`
}

/**
 * BINDING: the Agent on the link must have the Endpoint ID that was read over CWMP, or that the bridge of a router has
 * reported.
 */
export async function binding(script: Script): Promise<EventOutcome<MemberStep>> {
  const device = await script.device()
  const conflict = await conflictOf(script, device)
  if (conflict !== undefined) return conflict
  const expected = script.require('endpointId')
  if (device.binding === undefined || device.binding.endpointId !== expected) {
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: `bound to ${device.binding?.endpointId ?? 'nothing'}, expected ${expected}` },
    }
  }
  const { endpointId, proof } = device.binding
  return { kind: 'event', event: 'bound', evidence: { endpointId, proof } }
}

/** The event for a device with an open conflict, which its reason names. */
async function conflictOf({ deps }: Script, { conflict: id }: Device): Promise<EventOutcome<MemberStep> | undefined> {
  if (id === undefined) return undefined
  const { kind = '', endpointId = '' } = (await deps.conflicts.get(id)) ?? {}
  const text = `conflict ${id} is open: ${kind} of ${endpointId}`
  return { kind: 'event', event: 'conflict', reason: { code: 'conflict', text } }
}
