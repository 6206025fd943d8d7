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
 * its BootParameter rows that it may read, as JSON.
 */
export async function bootArguments(
  reader: ModelReader,
  controller: string,
  boot: BootCause,
): Promise<Record<string, string>> {
  const rows = await reader.allRows(`${controller}BootParameter.`)
  const wanted = (await reader.textsOf(rows, ['Enable', 'ParameterName']))
    .filter(({ Enable, ParameterName }) => Enable === 'true' && reader.access.mayRead(ParameterName))
    .map(({ ParameterName }) => ParameterName)
  return {
    CommandKey: boot.commandKey,
    Cause: boot.cause,
    Reason: '',
    FirmwareUpdated: String(boot.firmwareUpdated),
    ParameterMap: JSON.stringify(Object.fromEntries(await reader.values(wanted))),
  }
}
