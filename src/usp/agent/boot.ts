import type { TreeView } from '../../tree/index.ts'

/** How the box came up. */
export interface BootCause {
  cause: string
  commandKey: string
  firmwareUpdated: boolean
}

/** The arguments of Boot! for one Controller: ParameterMap holds what its BootParameter rows name, as JSON (TR-181 Device.Boot!). */
export function bootArguments(view: TreeView, controller: string, boot: BootCause): Record<string, string> {
  const map: Record<string, string> = {}
  for (const row of view.instances(`${controller}BootParameter.`)) {
    const path = view.get(`${row}ParameterName`) ?? ''
    const value = view.get(`${row}Enable`) === 'true' ? view.get(path) : undefined
    if (value !== undefined) map[path] = value
  }
  return {
    CommandKey: boot.commandKey,
    Cause: boot.cause,
    Reason: '',
    FirmwareUpdated: String(boot.firmwareUpdated),
    ParameterMap: JSON.stringify(map),
  }
}
