import { type Outcome, outcomeOf, type Script, StepFailed } from '../script.ts'
import { ownerChange } from './owner.ts'
import { CONTROLLERS, INFORM_INTERVAL, rowsOf } from './rows.ts'

/** ROLLING_BACK: the owner first, so that nobody writes over USP any more; then what we added and changed, in reverse. */
export async function rollingBack(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  await script.step('owner', async () => ({ change: ownerChange(await script.device(), 'cwmp', clock.now()) }))
  await script.step('cancel', async () => {
    await script.cancelWaiting()
    return {}
  })
  try {
    await undo(script)
  } catch (error) {
    const outcome = outcomeOf(error)
    if (outcome.kind === 'wait' || outcome.reason === undefined) throw error
    const { code, text } = outcome.reason
    const device = await script.device()
    const event = code === 'offline' && device.usp?.linked !== true ? 'stranded' : 'rollbackFailed'
    return { kind: 'event', event, reason: { code, text: `rollback: ${text}` } }
  }
  return { kind: 'event', event: 'rolledBack' }
}

async function undo(script: Script): Promise<void> {
  // Nothing was written before the snapshot was taken.
  if (script.fact('endpointId') === undefined) return
  await script.step('stray', () => strayRow(script))
  const created = (script.fact('created') ?? '').split(' ').filter((row) => row !== '')
  for (const row of created.reverse()) await script.step(`delete ${row}`, () => removeRow(script, row))
  const before: { path: string; value: string }[] = JSON.parse(script.fact('before') ?? '[]')
  if (before.length > 0) await script.step('restore', () => restore(script, 'restore', before))
  const interval = script.fact('interval') ?? ''
  if (interval !== '' && script.fact('slept') === 'true')
    await script.step('interval', () => restore(script, 'interval', [{ path: INFORM_INTERVAL, value: interval }]))
}

/** An AddObject whose answer never came may have left a row that nobody noted. */
async function strayRow(script: Script): Promise<{ facts?: Record<string, string> }> {
  const begun = script.member.cursor['PREPARING.permission'] === true
  if (script.fact('controllerRow') !== undefined || !begun) return {}
  const { endpointId } = script.plan.settings.controller
  const values = await script.read('stray', [CONTROLLERS], 'cwmp')
  const row = rowsOf(CONTROLLERS, values).find(
    (candidate) => values.get(`${candidate}EndpointID`)?.value === endpointId,
  )
  if (row === undefined) return {}
  return { facts: { controllerRow: row, created: `${script.fact('created') ?? ''} ${row}`.trim() } }
}

async function removeRow(script: Script, row: string): Promise<Record<string, never>> {
  const operation = await script.run(`delete ${row}`, { verb: 'delete', paths: [row] }, 'cwmp', { tolerate: true })
  const error = operation.result?.error
  // A row that is not there any more is what was wanted.
  if (operation.state === 'failed' && error?.code !== '9005')
    throw new StepFailed(error?.code ?? 'failed', `delete ${row}: ${error?.text ?? 'failed'}`, true)
  return {}
}

async function restore(
  script: Script,
  step: string,
  values: { path: string; value: string }[],
): Promise<Record<string, never>> {
  await script.run(step, { verb: 'set', values }, 'cwmp')
  return {}
}
