import type { PlanSettings } from '../domain/index.ts'

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
