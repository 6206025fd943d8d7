import { defined, isConflict } from '../../base/index.ts'
import { type EndpointId, isRouterOs, type OperationRequest, type PathOutcome, shownValue } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import type { Outcome, Script, StepResult } from '../machine/script.ts'
import { bind, bindingOf } from './bind.ts'
import { preparingAtBridge } from './preparing-at-bridge.ts'
import {
  addRow,
  CONTROLLERS,
  mtpOfPlan,
  mtpValues,
  sameBooleanOrText,
  setRow,
  VALUE_FAULT,
  withCreated,
} from './rows.ts'
import { snapshot } from './snapshot.ts'
import { trust } from './trust.ts'

/**
 * PREPARING, over CWMP: reads and stores the snapshot, binds the Endpoint ID, writes role, credential, Controller and
 * MTP rows, reads them back, enables them, asks for an OnBoardRequest, and reads the switches back. Controller and MTP
 * rows are added disabled, so that an interruption leaves no row that an Agent uses.
 */
export async function preparing(script: Script): Promise<Outcome> {
  if (isRouterOs(await script.device())) return preparingAtBridge(script)
  await script.derived('quiet', async () => {
    await script.quiet()
    return {}
  })
  await snapshotAndBinding(script)
  const conflict = await bind(script, 'bound')
  if (conflict !== undefined) return conflict
  await trust(script)
  await script.step('controller', () => controller(script))
  let shown: PathOutcome[] | undefined
  await script.step('mtp', async () => {
    const { read, ...result } = await mtp(script)
    shown = read
    return result
  })
  await script.derived('readBack', () => readBack(script, shown))
  await script.derived('enabled', () => enable(script))
  return { kind: 'event', event: 'prepared', evidence: evidenceOf(script) }
}

/**
 * Stores the snapshot, and the binding in the same commit where nothing speaks against it. Where another device has the
 * Endpoint ID, the snapshot alone is stored, and `bind` decides.
 */
async function snapshotAndBinding(script: Script): Promise<void> {
  const taken = async () => {
    const { device, ...result } = await snapshot(script)
    return { device, result }
  }
  try {
    await script.step('snapshot', async () => {
      const { device, result } = await taken()
      const endpointId = result.facts.endpointId as EndpointId
      const free = device.binding === undefined || device.binding.endpointId === endpointId
      return { ...result, ...(free ? { change: bindingOf(script, device, endpointId, 'bound') } : {}) }
    })
  } catch (error) {
    if (!isConflict(error)) throw error
    await script.step('snapshot', async () => (await taken()).result)
  }
}

/**
 * Adds the Controller row, disabled until it is complete; a present row with the Endpoint ID of this Controller is used
 * again.
 */
async function controller(script: Script): Promise<StepResult> {
  const { endpointId, periodicNotifIntervalS } = script.plan.settings.controller
  const wished: Record<string, string> = { PeriodicNotifInterval: String(periodicNotifIntervalS) }
  const { role, certificate, controllerRow } = script.facts
  if (role !== undefined) wished.AssignedRole = role
  if (certificate !== undefined) wished.Credential = certificate
  if (controllerRow !== undefined) {
    await setRow(script, 'controllerAgain', controllerRow, { needed: {}, wished })
    return {}
  }
  const { row } = await addRow(script, 'controller', CONTROLLERS, {
    needed: { EndpointID: endpointId, Enable: 'false' },
    wished,
  })
  return { facts: { controllerRow: row }, ...(await withCreated(script, row)) }
}

/** `read`: the values of the Controller row after the write, where the CPE showed them at once. */
async function mtp(script: Script): Promise<StepResult & { read?: PathOutcome[] }> {
  const { protocol, wished } = mtpOfPlan(script)
  const values = await mtpValues(script)
  const { mtpRow } = script.facts
  if (mtpRow !== undefined) {
    await setRow(script, 'mtpAgain', mtpRow, { needed: values, wished })
    return {}
  }
  const ours = script.require('controllerRow')
  const needed = { Protocol: protocol, Enable: 'false', ...values }
  const { row, read } = await addRow(script, 'mtp', `${ours}MTP.`, { needed, wished }, [ours])
  return { facts: { mtpRow: row }, ...(await withCreated(script, row)), ...defined({ read }) }
}

/**
 * Compares the rows before they are enabled: a CPE may accept a value and not keep it. `shown`: their values, where
 * they were read with the last write.
 */
async function readBack(script: Script, shown: PathOutcome[] | undefined): Promise<Record<string, never>> {
  const row = script.require('controllerRow')
  const mtpRow = script.require('mtpRow')
  const values =
    shown === undefined
      ? await script.read('readBack', [row], 'cwmp', { more: true })
      : new Map(shown.map((outcome) => [outcome.path, outcome]))
  const wanted: Record<string, string> = {
    [`${row}EndpointID`]: script.plan.settings.controller.endpointId,
    [`${mtpRow}Protocol`]: mtpOfPlan(script).protocol,
  }
  for (const [name, value] of Object.entries(await mtpValues(script))) wanted[mtpRow + name] = value
  for (const [path, value] of Object.entries(wanted)) {
    const found = values.get(path)?.value
    // Results of reads have masked secrets.
    const masked = shownValue(path, value)
    if (!sameBooleanOrText(found, value) && found !== masked)
      throw new StepFailed(
        'readBack',
        `${path} is ${foundText(found, masked !== value)}, not ${JSON.stringify(masked)}`,
        true,
      )
  }
  return {}
}

/** A value that the device keeps in place of a secret may be a part of it. */
function foundText(found: string | undefined, isSecret: boolean): string {
  return isSecret && found ? `another text, of ${found.length} characters` : JSON.stringify(found)
}

async function enable(script: Script): Promise<Record<string, never>> {
  const values = switches(script).map((path) => ({ path, value: 'true' }))
  // An Agent dials an enabled Controller without a request; SendOnBoardRequest only makes it earlier.
  const asking = { path: `${script.require('controllerRow')}SendOnBoardRequest`, value: 'true' }
  const wished: OperationRequest = { verb: 'set', values: [...values, asking] }
  const read = switches(script)
  const { operation, values: shown } = await script.runThenRead('enable', wished, 'cwmp', read, { tolerate: true })
  const { state, result } = operation
  if (state === 'done') return enabled(script, shown)
  const { code = state, text = state, retryable = true } = result?.error ?? {}
  if (!VALUE_FAULT.test(code)) throw new StepFailed(code, `enable: ${text}`, retryable)
  return enabled(script, (await script.runThenRead('enableOnly', { verb: 'set', values }, 'cwmp', read)).values)
}

function enabled(script: Script, values: Map<string, PathOutcome>): Record<string, never> {
  for (const path of switches(script)) {
    const found = values.get(path)?.value
    if (!sameBooleanOrText(found, 'true'))
      throw new StepFailed('readBack', `${path} was set and is ${JSON.stringify(found)}`, true)
  }
  return {}
}

function switches(script: Script): string[] {
  return [script.require('mtpRow'), script.require('controllerRow')].map((row) => `${row}Enable`)
}

function evidenceOf({ facts }: Script): Record<string, string> {
  const names = ['endpointId', 'controllerRow', 'mtpRow', 'role', 'credential', 'interval', 'trustRefused'] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = facts[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
