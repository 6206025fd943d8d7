import { MustWait } from '../../rollout/index.ts'
import type { Script, StepResult } from '../machine/script.ts'
import { endLink } from './end-link.ts'

/** An instance that holds the link has so long to hear that it is to end, and to end it. */
const FAR_LINK_ENDS_MS = 30_000
const LOOK_MS = 1000

/** Waits until the Agent has ended its link, and closes a link that stays: no request may use it from now on. */
export async function linkEnds(script: Script): Promise<StepResult> {
  const { time } = script.deps
  const device = await script.device()
  if (device.usp?.linked !== true) return { facts: { linkUntilMs: 0 } }
  const leftMs = (script.facts.linkUntilMs ?? 0) - time.now()
  if (leftMs > 0) throw new MustWait('agent', Math.min(leftMs, LOOK_MS))
  await endLink(script, device, 'rolledBack')
  return { facts: { linkUntilMs: time.now() + FAR_LINK_ENDS_MS } }
}

/**
 * Waits until another instance has closed the link that it holds. An instance that is dead does not, and its links are
 * none.
 */
export async function linkIsGone(script: Script): Promise<StepResult> {
  const leftMs = (script.facts.linkUntilMs ?? 0) - script.deps.time.now()
  if (leftMs > 0 && (await script.device()).usp?.linked === true) throw new MustWait('agent', Math.min(leftMs, LOOK_MS))
  return {}
}
