import { STRONG_PROOFS, wasResetSince } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import type { Outcome, Script } from '../machine/script.ts'
import { INFORM_INTERVAL } from './rows.ts'
import { whileCwmpAbsent } from './soaking.ts'

/** RETIRING: CWMP goes to sleep with a long inform interval; never before the identity is strongly proven. */
export async function retiring(script: Script): Promise<Outcome> {
  const { retire, dormantIntervalS } = script.plan.settings
  if (retire === 'none') return retired(script)
  const proof = (await script.device()).binding?.proof
  if (proof === undefined || !STRONG_PROOFS.includes(proof))
    throw new StepFailed('weakProof', `the identity is only proven by ${proof ?? 'nothing'}`, false)
  // Noted before it is written: a rollback from here has to restore it.
  if (script.facts.sleeps !== true)
    await script.step('retire', async () => {
      const snapshot = await script.snapshot()
      return snapshot === undefined ? {} : { snapshot: { ...snapshot, slept: true } }
    })
  const wanted = String(dormantIntervalS)
  const absent = await whileCwmpAbsent(script, 'dormant', async (name) => {
    const values = [{ path: INFORM_INTERVAL, value: wanted }]
    const back = await script.runThenRead(name, { verb: 'set', values }, 'cwmp', [INFORM_INTERVAL])
    const found = back.values.get(INFORM_INTERVAL)?.value
    if (found !== wanted) throw new StepFailed('readBack', `${INFORM_INTERVAL} is ${found}, not ${wanted}`, true)
  })
  if (absent !== undefined) return absent
  const evidence = { interval: `${script.facts.interval ?? ''} -> ${wanted}`, proof }
  return retired(script, evidence)
}

/** The end of the migration, unless a factory reset has undone some of it: no later check would find that. */
async function retired(script: Script, evidence: Record<string, string> = {}): Promise<Outcome> {
  if (wasResetSince(script.facts.bootstrapAt, await script.device()))
    throw new StepFailed('bootstrap', 'the device was reset to factory settings on the way', true)
  return { kind: 'event', event: 'retired', evidence }
}
