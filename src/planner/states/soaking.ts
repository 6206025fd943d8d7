import { type Device, STRONG_PROOFS } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import { failed, type Outcome, type Script, type Wait } from '../machine/script.ts'
import type { MemberStep } from '../machine/transition.ts'
import { ownerChange } from './owner.ts'
import { INFORM_INTERVAL } from './rows.ts'

/** An Agent may be silent for so long while soaking: devices reboot. */
const SILENCE_MS = 90_000
/** The Agent is asked this often; a silent one more often. */
const LOOK_MS = 30_000
const SOON_MS = 5000
const SOFTWARE = 'Device.DeviceInfo.SoftwareVersion'

/**
 * DUAL: USP owns the device, CWMP stays alive beside it. The Agent is asked at each look; at the end of the soak it
 * must answer, and CWMP as well where RETIRING does not ask it.
 */
export async function dual(script: Script): Promise<Outcome> {
  const { clock, time } = script.deps
  if (script.facts.handedOver !== true) {
    // Operations that others asked for over CWMP end over CWMP.
    await script.derived('quiet', async () => {
      await script.quiet()
      return {}
    })
    await script.step('owner', async () => ({ change: ownerChange(await script.device(), 'usp', clock.now()) }))
  }
  const device = await script.device()
  const answer = await script.askAgent(device)
  if (answer === 'silent') return agentSilent(script)
  const leftMs = script.member.enteredMs + script.plan.settings.soakMs - time.now()
  const facts = script.facts.silentMs === undefined ? {} : { facts: { silentMs: undefined } }
  if (leftMs > 0) return { kind: 'wait', waiting: 'soak', afterMs: Math.min(leftMs, LOOK_MS), ...facts }
  // At the end the record of a link that another instance holds is not enough.
  if (answer !== 'answered')
    await script.derived('usp', async () => {
      await script.read('soakUsp', [SOFTWARE], 'usp')
      return {}
    })
  // With another `retire`, the answer of the CPE in RETIRING shows that CWMP works.
  if (script.plan.settings.retire === 'none') {
    const absent = await whileCwmpAbsent(script, 'cwmp', (name) => script.read(name, [INFORM_INTERVAL], 'cwmp'))
    if (absent !== undefined) return absent
  }
  const evidence = { soakMs: String(time.now() - script.member.enteredMs) }
  return { kind: 'event', event: 'soakOver', evidence, ...(await sleeping(script, device)) }
}

/**
 * Returns the snapshot that says that the inform interval is about to be changed: it is stored before RETIRING begins,
 * where that goes on to write.
 */
async function sleeping(script: Script, { binding }: Device): Promise<Pick<MemberStep, 'facts' | 'snapshot'>> {
  const { retire } = script.plan.settings
  if (retire === 'none' || binding === undefined || !STRONG_PROOFS.includes(binding.proof)) return {}
  const snapshot = await script.snapshot()
  return snapshot === undefined ? {} : { facts: { sleeps: true }, snapshot: { ...snapshot, slept: true } }
}

/** A wait, or a failure when the Agent has been silent for too long of the time in which it could be heard. */
function agentSilent(script: Script): Outcome {
  const { time } = script.deps
  const now = time.now()
  const silentMs = Math.max(script.facts.silentMs ?? now, time.silenceCountsFrom)
  if (now - silentMs > SILENCE_MS)
    return failed({ code: 'linkLost', text: `the Agent has not answered for ${SILENCE_MS / 1000} s` }, true)
  return { kind: 'wait', waiting: 'agent', afterMs: SOON_MS, facts: { silentMs } }
}

/**
 * Runs a step over CWMP while USP works. A device that does not connect over CWMP is left on USP and waited for: a
 * rollback over a protocol that is silent would leave it without any. Undefined when the step is done.
 */
export async function whileCwmpAbsent(
  script: Script,
  step: string,
  work: (name: string) => Promise<unknown>,
): Promise<Wait | undefined> {
  const asked = script.facts.cwmpAsked ?? 0
  try {
    await script.derived(step, async () => {
      await work(`${step}${asked}`)
      return {}
    })
    return undefined
  } catch (error) {
    if (!(error instanceof StepFailed) || error.reason.code !== 'offline') throw error
    return { kind: 'wait', waiting: 'offline', afterMs: SOON_MS, facts: { cwmpAsked: asked + 1 } }
  }
}
