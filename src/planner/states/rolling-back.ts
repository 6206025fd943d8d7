import type { PathOutcome } from '../../device/index.ts'
import { type Outcome, outcomeOf, type Script, StepFailed } from '../script.ts'
import { ownerChange } from './owner.ts'
import { CONTROLLERS, CREDENTIALS, INFORM_INTERVAL, ROLES, rowsOf, sameText } from './rows.ts'
import { ROLE_NAME } from './trust.ts'

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
    if (outcome.kind === 'wait' || outcome.event !== 'fail' || outcome.reason === undefined) throw error
    const { code, text } = outcome.reason
    const device = await script.device()
    const event = code === 'offline' && device.usp?.linked !== true ? 'stranded' : 'rollbackFailed'
    return { kind: 'event', event, reason: { code, text: `rollback: ${text}` } }
  }
  const undone = Object.keys(script.member.cursor).filter((name) => name.startsWith('ROLLING_BACK.delete '))
  return { kind: 'event', event: 'rolledBack', evidence: { rowsRemoved: String(undone.length) } }
}

async function undo(script: Script): Promise<void> {
  // Nothing was written before the snapshot was taken and the Endpoint ID bound.
  if (script.member.cursor['PREPARING.bind'] !== true) return
  await script.step('find', async () => ({ facts: await findOurs(script) }))
  for (const row of list(script.fact('ours'))) await script.step(`delete ${row}`, () => removeRow(script, row))
  const changed: { path: string; value: string }[] = JSON.parse(script.fact('changed') ?? '[]')
  if (changed.length > 0) await script.step('restore', () => restore(script, 'restore', changed))
  const interval = script.fact('interval') ?? ''
  if (interval !== '' && script.fact('slept') === 'true')
    await script.step('interval', () => restore(script, 'interval', [{ path: INFORM_INTERVAL, value: interval }]))
}

/**
 * What of ours is on the box now, by what the rows hold and not by the numbers that were noted: an AddObject whose answer never came left a
 * row nobody noted, and a box that renumbers its rows has another Controller where ours was.
 */
async function findOurs(script: Script): Promise<Record<string, string>> {
  const values = await script.read('find', [CONTROLLERS, ROLES, CREDENTIALS], 'cwmp')
  const value = (path: string) => values.get(path)?.value
  const before: { path: string; value: string }[] = JSON.parse(script.fact('before') ?? '[]')
  const ours = [...controllersOf(script, values), ...trustOf(script, values)]
  const changed = before.filter(({ path, value: was }) => value(path) !== undefined && !sameText(value(path), was))
  return { ours: ours.join(' '), changed: JSON.stringify(changed) }
}

function controllersOf(script: Script, values: Map<string, PathOutcome>): string[] {
  const { endpointId, host } = script.plan.settings.controller
  const value = (path: string) => values.get(path)?.value
  // A Controller row that was there before is given back; only an MTP that we put below it goes.
  if ((script.fact('preexisting') ?? '') !== '')
    return list(script.fact('created')).filter((row) => row.includes('.MTP.') && value(`${row}WebSocket.Host`) === host)
  return rowsOf(CONTROLLERS, values).filter((row) => value(`${row}EndpointID`) === endpointId)
}

/** Credential and role rows, unless the snapshot found them there. */
function trustOf(script: Script, values: Map<string, PathOutcome>): string[] {
  const value = (path: string) => values.get(path)?.value ?? ''
  const created = list(script.fact('created'))
  const certificate = script.fact('certificate')
  const credential = script.fact('credential')
  const credentials =
    certificate === undefined || (credential !== undefined && !created.includes(credential))
      ? []
      : rowsOf(CREDENTIALS, values).filter((row) => plainPath(value(`${row}Credential`)) === certificate)
  const roles =
    script.fact('role') !== undefined && script.fact('ownRole') !== 'true'
      ? []
      : rowsOf(ROLES, values).filter((row) => value(`${row}Name`) === ROLE_NAME)
  return [...credentials, ...roles]
}

function plainPath(path: string): string {
  return path.replace('LocalAgent', 'USPAgent').replace(/\.$/, '')
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter((row) => row !== '')
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
