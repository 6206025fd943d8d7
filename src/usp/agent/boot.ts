import type { ModelReader } from './model-reader.ts'

/** Arguments of Boot! that come from the reason of a start. */
export interface BootCause {
  /** Cause of TR-181, e.g. `RemoteReboot`. */
  cause: string
  commandKey: string
  firmwareUpdated: boolean
}

/**
 * Resolves with the arguments of Boot! for one Controller (TR-181 Device.Boot!): ParameterMap holds the parameters of
 * its BootParameter rows, as JSON.
 */
export async function bootArguments(
  reader: ModelReader,
  controller: string,
  boot: BootCause,
): Promise<Record<string, string>> {
  const map: Record<string, string> = {}
  for (const row of await reader.rows(`${controller}BootParameter.`)) {
    const { Enable, ParameterName } = await reader.texts(row, ['Enable', 'ParameterName'])
    const value = Enable === 'true' ? await reader.value(ParameterName) : undefined
    if (value !== undefined) map[ParameterName] = value
  }
  return {
    CommandKey: boot.commandKey,
    Cause: boot.cause,
    Reason: '',
    FirmwareUpdated: String(boot.firmwareUpdated),
    ParameterMap: JSON.stringify(map),
  }
}
