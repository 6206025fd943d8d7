import { isIP } from 'node:net'
import { AppError } from '../base/index.ts'
import { parsePath, rootOf } from '../datamodel/index.ts'
import type { PlanSettings } from '../domain/index.ts'
import { certificateSerials } from './states/certificate-serials.ts'

/** Characters of a host name (RFC 1035). */
const MAX_HOST = 253

/** Settings of a plan as a person gives them; what is absent keeps its value. */
export type SettingsInput = Partial<Omit<PlanSettings, 'controller'>> & {
  controller?: Partial<PlanSettings['controller']>
}

/** Returns the settings of a plan for those that its creator leaves out. */
export function defaultPlanSettings(controller: PlanSettings['controller']): PlanSettings {
  return {
    maxInFlight: 50,
    startsPerMinute: 0,
    failureGatePercent: 30,
    gateMinSample: 20,
    soakMs: 600_000,
    awaitUspTimeoutMs: 600_000,
    verifyTimeoutMs: 600_000,
    offlineTimeoutMs: 3_600_000,
    maxAttempts: 3,
    retryBackoffMs: 300_000,
    retire: 'dormant',
    dormantIntervalS: 86_400,
    silentAfterMs: 86_400_000,
    onSilent: 'report',
    parityPaths: [
      'Device.DeviceInfo.SoftwareVersion',
      'Device.DeviceInfo.HardwareVersion',
      'Device.IP.Interface.1.Enable',
      'Device.WiFi.SSID.1.SSID',
    ],
    controller,
  }
}

/**
 * Refuses settings that a person gives and with which no device could be moved. AppError `invalid` names the setting.
 * `own`: the Controller of this server. Its port and path may differ from those that the devices see, behind a proxy.
 */
export function checkSettings({ controller = {}, parityPaths = [] }: SettingsInput, own: PlanSettings['controller']) {
  const { endpointId, host, path, certificate } = controller
  const refuse = (name: string, text: string): never => {
    throw new AppError('invalid', `settings.${name}: ${text}`)
  }
  if (endpointId !== undefined && endpointId !== own.endpointId)
    refuse('controller.endpointId', `this server is ${own.endpointId}, and takes no Record for another Endpoint ID`)
  if (host !== undefined && !isHost(host))
    refuse('controller.host', 'give a host name or an IP address, without scheme, port and path')
  if (path !== undefined && !/^\/[^\s?#\p{Cc}]*$/u.test(path))
    refuse('controller.path', 'a path begins with / and has no space, no control character, ? or #')
  if (certificate !== undefined) certificateSerials(certificate)
  const wrong = parityPaths.find((parameter) => !isOneParameter(parameter))
  if (wrong !== undefined)
    refuse(
      'parityPaths',
      `${JSON.stringify(wrong)} is no single parameter of the data model of USP, like Device.DeviceInfo.SoftwareVersion`,
    )
}

/** Returns true for a parameter with instance numbers alone: a search path has no value to compare. */
function isOneParameter(text: string): boolean {
  try {
    const { kind, segments } = parsePath(text)
    const isPlain = segments.every((segment) => segment.kind === 'name' || segment.kind === 'instance')
    return kind === 'parameter' && isPlain && segments.length > 1 && rootOf(text) === 'Device.'
  } catch {
    return false
  }
}

function isHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return (
    isIP(address) !== 0 ||
    (host.length <= MAX_HOST &&
      !host.includes('..') &&
      /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(host))
  )
}
