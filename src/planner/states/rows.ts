import type { PathOutcome, PlanSettings } from '../../device/index.ts'
import { type Script, StepFailed } from '../script.ts'

/** The Agent's objects as CWMP names them (TR-181 2.15). */
export const AGENT = 'Device.USPAgent.'
export const CONTROLLERS = `${AGENT}Controller.`
export const ROLES = `${AGENT}ControllerTrust.Role.`
export const CREDENTIALS = `${AGENT}ControllerTrust.Credential.`
export const CERTIFICATES = `${AGENT}Certificate.`
export const INFORM_INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'

/** What the WebSocket object of our MTP row holds. */
export function webSocketValues({ controller }: PlanSettings): Record<string, string> {
  return {
    'WebSocket.Host': controller.host,
    'WebSocket.Port': String(controller.port),
    'WebSocket.Path': controller.path,
    'WebSocket.EnableEncryption': String(controller.tls),
    'WebSocket.KeepAliveInterval': '60',
  }
}

/** Rows of a table, ending in a dot, among the paths that were read. */
export function rowsOf(table: string, values: Map<string, PathOutcome>): string[] {
  const rows = new Set<string>()
  for (const path of values.keys()) {
    if (!path.startsWith(table)) continue
    const number = path.slice(table.length, path.indexOf('.', table.length))
    if (/^\d+$/.test(number)) rows.add(`${table}${number}.`)
  }
  return [...rows]
}

/** Adds a row and notes it among those that are ours to take away again. */
export async function addRow(
  script: Script,
  step: string,
  object: string,
  values: Record<string, string>,
): Promise<{ row: string; created: string }> {
  const operation = await script.run(step, { verb: 'add', object, values }, 'cwmp')
  const row = operation.result?.results.find((result) => result.created !== undefined)?.created
  if (row === undefined) throw new StepFailed('noRow', `${step}: the box did not say which row it added`, true)
  return { row, created: `${script.fact('created') ?? ''} ${row}`.trim() }
}
