import { AppError } from '../base/index.ts'
import type { PlanSettings } from '../device/index.ts'

/** What a new plan starts from; the controller is the server's own and comes from the composition root. */
export const DEFAULT_PLAN_SETTINGS: Omit<PlanSettings, 'controller'> = {
  maxInFlight: 50,
  startsPerMinute: 0,
  failureGatePercent: 20,
  gateMinSample: 20,
  soakMs: 3_600_000,
  awaitUspTimeoutMs: 300_000,
  verifyTimeoutMs: 300_000,
  offlineTimeoutMs: 86_400_000,
  maxAttempts: 3,
  retryBackoffMs: 60_000,
  retire: 'dormant',
  dormantIntervalS: 86_400,
  parityPaths: [
    'Device.DeviceInfo.Manufacturer',
    'Device.DeviceInfo.ModelName',
    'Device.DeviceInfo.HardwareVersion',
    'Device.DeviceInfo.SoftwareVersion',
    'Device.DeviceInfo.ProvisioningCode',
  ],
}

const DAY_MS = 86_400_000

/** Bounds of the numbers: [least, most]. */
const BOUNDS = {
  maxInFlight: [1, 100_000],
  startsPerMinute: [0, 1_000_000],
  failureGatePercent: [0, 100],
  gateMinSample: [1, 1_000_000],
  soakMs: [0, 365 * DAY_MS],
  awaitUspTimeoutMs: [1000, 30 * DAY_MS],
  verifyTimeoutMs: [1000, 30 * DAY_MS],
  offlineTimeoutMs: [1000, 30 * DAY_MS],
  maxAttempts: [1, 100],
  retryBackoffMs: [0, 30 * DAY_MS],
  dormantIntervalS: [60, 30 * 86_400],
} as const satisfies Partial<Record<keyof PlanSettings, readonly [number, number]>>

/** Settings of a plan: defaults, with what was given in their place. AppError `invalid` names what does not fit. */
export function planSettings(
  given: Partial<Omit<PlanSettings, 'controller'>> & { controller?: Partial<PlanSettings['controller']> },
  controller: PlanSettings['controller'],
): PlanSettings {
  const settings: PlanSettings = {
    ...DEFAULT_PLAN_SETTINGS,
    ...given,
    controller: { ...controller, ...given.controller },
  }
  for (const [name, [least, most]] of Object.entries(BOUNDS) as [keyof typeof BOUNDS, readonly [number, number]][]) {
    const value = settings[name]
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new AppError('invalid', `${name} is a whole number from ${least} to ${most}`)
    }
  }
  if (settings.retire !== 'dormant' && settings.retire !== 'none')
    throw new AppError('invalid', 'retire is dormant or none')
  if (settings.parityPaths.length > 200) throw new AppError('invalid', 'parityPaths has more than 200 entries')
  for (const path of settings.parityPaths) {
    if (!/^Device\.[A-Za-z0-9_.-]+$/.test(path) || path.length > 256) {
      throw new AppError('invalid', `parityPaths: ${path.slice(0, 80)} is no path below Device. without search`)
    }
  }
  checkController(settings.controller)
  return settings
}

function checkController({ endpointId, host, port, path, periodicNotifIntervalS }: PlanSettings['controller']): void {
  if (endpointId === '' || endpointId.length > 256) throw new AppError('invalid', 'controller.endpointId is empty')
  if (host === '' || host.length > 256) throw new AppError('invalid', 'controller.host is empty or too long')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AppError('invalid', 'controller.port is no port')
  if (path.length > 256) throw new AppError('invalid', 'controller.path is too long')
  if (!Number.isInteger(periodicNotifIntervalS) || periodicNotifIntervalS < 1) {
    throw new AppError('invalid', 'controller.periodicNotifIntervalS is a whole number from 1')
  }
}
