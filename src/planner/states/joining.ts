import type { Outcome, Script } from '../script.ts'

/** How often a missing Agent is looked for when no event tells of it. */
const LOOK_MS = 5000

/** AWAITING_USP: the Agent dials us in its own time. */
export async function awaitingUsp(script: Script): Promise<Outcome> {
  const device = await script.device()
  if (device.conflict !== undefined)
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: 'an Agent with another identity claims this device' },
    }
  if (device.usp?.linked === true) return { kind: 'event', event: 'agentHere' }
  const { awaitUspTimeoutMs } = script.plan.settings
  if (script.deps.clock.now() - script.member.enteredAt >= awaitUspTimeoutMs) {
    return {
      kind: 'event',
      event: 'fail',
      reason: { code: 'agentDidNotCome', text: `no Agent came within ${Math.round(awaitUspTimeoutMs / 1000)} s` },
      retryable: true,
    }
  }
  return { kind: 'wait', waiting: 'agent', untilMs: Math.min(LOOK_MS, awaitUspTimeoutMs) }
}

/** BINDING: the Agent on the link must be the Endpoint ID that was read over CWMP. */
export async function binding(script: Script): Promise<Outcome> {
  const device = await script.device()
  if (device.conflict !== undefined)
    return {
      kind: 'event',
      event: 'conflict',
      reason: { code: 'conflict', text: 'an Agent with another identity claims this device' },
    }
  const expected = script.fact('endpointId')
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
