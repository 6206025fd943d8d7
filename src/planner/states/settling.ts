import { STRONG_PROOFS } from '../../device/index.ts'
import { type Outcome, type Script, StepFailed } from '../script.ts'
import { ownerChange } from './owner.ts'
import { INFORM_INTERVAL } from './rows.ts'

/** A link may be lost this long while soaking: boxes reboot. */
const LINK_GRACE_MS = 90_000
const LOOK_MS = 5000

/** DUAL: USP owns the box, CWMP stays alive, and both are watched for the soak time. */
export async function dual(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  await script.step('owner', async () => ({ change: ownerChange(await script.device(), 'usp', clock.now()) }))
  const device = await script.device()
  const now = clock.now()
  const lostForMs =
    device.usp?.linked === true ? 0 : now - Math.max(device.usp?.disconnectedAt ?? 0, script.member.enteredAt)
  if (lostForMs > LINK_GRACE_MS)
    return {
      kind: 'event',
      event: 'fail',
      reason: { code: 'linkLost', text: 'the USP link did not come back' },
      retryable: true,
    }
  const leftMs = script.member.enteredAt + script.plan.settings.soakMs - now
  if (leftMs > 0) return { kind: 'wait', waiting: 'soak', untilMs: Math.min(leftMs, LOOK_MS) }
  return lostForMs > 0 ? { kind: 'wait', waiting: 'agent', untilMs: LOOK_MS } : { kind: 'event', event: 'soakOver' }
}

/** RETIRING: CWMP goes to sleep with a long inform interval; never before the identity is strongly proven. */
export async function retiring(script: Script): Promise<Outcome> {
  const { retire, dormantIntervalS } = script.plan.settings
  if (retire === 'none') return { kind: 'event', event: 'retired' }
  const proof = (await script.device()).binding?.proof
  if (proof === undefined || !STRONG_PROOFS.includes(proof))
    throw new StepFailed('weakProof', `the identity is only proven by ${proof ?? 'nothing'}`, false)
  // Noted before it is written: a way back from here has to restore it.
  await script.step('retire', async () => ({ facts: { slept: 'true' } }))
  await script.step('dormant', async () => {
    await script.run(
      'dormant',
      { verb: 'set', values: [{ path: INFORM_INTERVAL, value: String(dormantIntervalS) }] },
      'cwmp',
    )
    const found = (await script.read('dormantReadBack', [INFORM_INTERVAL], 'cwmp')).get(INFORM_INTERVAL)?.value
    if (found !== String(dormantIntervalS)) throw new StepFailed('readBack', `${INFORM_INTERVAL} is ${found}`, true)
    return {}
  })
  return { kind: 'event', event: 'retired' }
}
