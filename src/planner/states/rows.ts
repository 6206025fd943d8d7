import { defined } from '../../base/index.ts'
import { sameValue } from '../../datamodel/index.ts'
import { type DeviceSnapshot, INCOMPLETE_ADD, type PathOutcome, type PathValue } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import { type MtpRows, mtpOf, neededValues } from '../../usp/index.ts'
import type { Script } from '../machine/script.ts'

/** The objects of an Agent as CWMP names them (TR-181 2.15). */
export const AGENT = 'Device.USPAgent.'
export const CONTROLLERS = `${AGENT}Controller.`
export const ROLES = `${AGENT}ControllerTrust.Role.`
export const CREDENTIALS = `${AGENT}ControllerTrust.Credential.`
export const CERTIFICATES = `${AGENT}Certificate.`
export const INFORM_INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'

/** Returns the MTP over which the plan has its devices link. */
export function mtpOfPlan({ plan }: Script): MtpRows {
  return mtpOf(plan.settings.controller.mtp)
}

/**
 * Returns the values that the MTP row of this Controller must hold on the device, the secret of the device among them.
 */
export async function mtpValues(script: Script): Promise<Record<string, string>> {
  return neededValues(mtpOfPlan(script), script.plan.settings.controller, await script.linkSecret())
}

/** Returns true for equal texts, and for the two forms of the same boolean. */
export function sameBooleanOrText(found: string | undefined, wanted: string): boolean {
  return found !== undefined && sameValue('boolean', found, wanted)
}

/** Returns the rows of a table among the paths that were read, each with its last dot. */
export function rowsOf(table: string, values: Map<string, PathOutcome>): string[] {
  const rows = new Set<string>()
  for (const path of values.keys()) {
    if (!path.startsWith(table)) continue
    const number = path.slice(table.length, path.indexOf('.', table.length))
    if (/^\d+$/.test(number)) rows.add(`${table}${number}.`)
  }
  return [...rows]
}

/** Faults of a value or name: 9003 arguments, 9005 name, 9006 type, 9007 value, 9008 not writable. */
export const VALUE_FAULT = /^900[35678]$/

/** The values of a row. It does not work without the `needed` ones; a CPE may refuse the `wished` ones. */
interface RowValues {
  needed: Record<string, string>
  wished: Record<string, string>
}

/**
 * Adds a row and returns its path. A CPE that refuses one of the wished values gets the row without them, and then each
 * of them alone: models differ in the parameters that CWMP may write. `thenRead`: paths to read after that, which is
 * left out where something is written after the row was added.
 */
export async function addRow(
  script: Script,
  step: string,
  object: string,
  { needed, wished }: RowValues,
  thenRead?: string[],
): Promise<{ row: string; read: PathOutcome[] | undefined }> {
  const add = (name: string, values: Record<string, string>) =>
    script.run(name, { verb: 'add', object, values }, 'cwmp', { tolerate: true, more: true, ...defined({ thenRead }) })
  const wishes = Object.keys(wished).length > 0
  let operation = await add(step, { ...needed, ...wished })
  const poorer = wishes && operation.state === 'failed' && VALUE_FAULT.test(operation.result?.error?.code ?? '')
  if (poorer) operation = await add(`${step}Needed`, needed)
  const error = operation.result?.error
  if (operation.state === 'failed' && error?.code !== INCOMPLETE_ADD)
    throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
  const row = operation.result?.results.find((result) => result.created !== undefined)?.created
  if (row === undefined) throw new StepFailed('noRow', `${step}: the device did not say which row it added`, true)
  // Rows are recognised by their values. Values that a CPE did not take with the row are written before the next step.
  const missing = Object.entries(needed).filter(([name]) =>
    operation.result?.results.some(({ path, error: refused }) => refused !== undefined && path.endsWith(name)),
  )
  if (missing.length > 0) await setRow(script, `${step}Rest`, row, { needed: Object.fromEntries(missing), wished: {} })
  if (poorer) await wish(script, step, row, wished)
  return { row, read: poorer || missing.length > 0 ? undefined : operation.result?.read }
}

/** Returns the stored snapshot with a row that was just added; {} when it has the row already. */
export async function withCreated(script: Script, row: string): Promise<{ snapshot?: DeviceSnapshot }> {
  const snapshot = await script.snapshot()
  if (snapshot === undefined || snapshot.created.includes(row)) return {}
  return { snapshot: { ...snapshot, created: [...snapshot.created, row] } }
}

/** Returns a reference as CWMP names it, without the last dot: Agents also show the USP name of the same object. */
export function plainReference(path: string): string {
  return path.replace(/^Device\.LocalAgent\./, AGENT).replace(/\.$/, '')
}

/** Sets the values of a row; a wished value that is refused keeps its old value. */
export async function setRow(script: Script, step: string, row: string, { needed, wished }: RowValues): Promise<void> {
  const set = (name: string, values: Record<string, string>, tolerate: boolean) =>
    script.run(name, { verb: 'set', values: below(row, values) }, 'cwmp', { tolerate, more: true })
  const wishes = Object.keys(wished).length > 0
  const operation = await set(step, { ...needed, ...wished }, wishes)
  if (operation.state !== 'failed') return
  if (Object.keys(needed).length > 0) await set(`${step}Needed`, needed, false)
  await wish(script, step, row, wished)
}

async function wish(script: Script, step: string, row: string, wished: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(wished)) {
    const values = [{ path: row + name, value }]
    await script.run(`${step} ${name}`, { verb: 'set', values }, 'cwmp', { tolerate: true, more: true })
  }
}

function below(row: string, values: Record<string, string>): PathValue[] {
  return Object.entries(values).map(([name, value]) => ({ path: row + name, value }))
}
