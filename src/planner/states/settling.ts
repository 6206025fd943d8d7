import { STRONG_PROOFS } from '../../device/index.ts'
import { type Outcome, type Script, StepFailed } from '../script.ts'
import { ownerChange } from './owner.ts'
import { INFORM_INTERVAL } from './rows.ts'

/** A link may be lost this long while soaking: boxes reboot. */
const LINK_GRACE_MS = 90_000
/** The link is looked at now and then; a lost one is looked for more often. */
const LOOK_MS = 30_000
const SOON_MS = 5000

/** DUAL: USP owns the box, CWMP stays alive beside it; at the end of the soak both must still be there. */
export async function dual(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  // What others asked for over CWMP comes to its end over CWMP.
  await script.step('quiet', async () => {
    await script.quiet()
    return {}
  })
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
  if (lostForMs > 0) return { kind: 'wait', waiting: 'agent', untilMs: SOON_MS }
  const silent = await cwmpSilent(script)
  return silent ?? { kind: 'event', event: 'soakOver', evidence: { soakMs: String(now - script.member.enteredAt) } }
}

/**
 * CWMP is the way back: it must have answered during the soak. A box that does not come over CWMP while USP works is left on USP and waited
 * for: bringing it back over a protocol that is silent would leave it without any.
 */
async function cwmpSilent(script: Script): Promise<Outcome | undefined> {
  const asked = Number(script.fact('cwmpAsked') ?? '0')
  try {
    await script.step('cwmp', async () => {
      await script.read(`cwmp${asked}`, [INFORM_INTERVAL], 'cwmp')
      return {}
    })
    return undefined
  } catch (error) {
    if (!(error instanceof StepFailed) || error.reason.code !== 'offline') throw error
    return { kind: 'wait', waiting: 'offline', untilMs: SOON_MS, cursor: { cwmpAsked: String(asked + 1) } }
  }
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
  const evidence = { interval: `${script.fact('interval') ?? ''} -> ${dormantIntervalS}`, proof }
  return { kind: 'event', event: 'retired', evidence }
}
