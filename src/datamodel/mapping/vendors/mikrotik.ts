import type { VendorFamily } from './family.ts'
import { place } from './places.ts'

const EVIDENCE = 'parameter list of the maker'
const STATION = 'Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.'

/** RouterOS (X_MIKROTIK_), which has TR-181. */
export const MIKROTIK: VendorFamily = {
  name: 'mikrotik',
  prefixes: ['X_MIKROTIK_'],
  kind: 'maker',
  rows: [
    place('Device.DeviceInfo.X_MIKROTIK_SystemIdentity', 'Device.DeviceInfo.HostName', {
      writable: true,
      rank: 2,
      evidence: EVIDENCE,
    }),
    place('Device.Ethernet.Interface.{i}.X_MIKROTIK_Name', 'Device.Ethernet.Interface.{i}.Name', {
      rank: 2,
      evidence: EVIDENCE,
    }),
    ...['RSRP', 'RSRQ'].map((leaf) =>
      place(`Device.Cellular.Interface.{i}.X_MIKROTIK_${leaf}`, `Device.Cellular.Interface.{i}.${leaf}`, {
        rank: 2,
        evidence: EVIDENCE,
      }),
    ),
    place(`${STATION}X_MIKROTIK_Stats.SNR`, `${STATION}SNR`, { transform: 'snr', rank: 2, evidence: EVIDENCE }),
  ],
  quirks: { parameters: [], objects: [] },
}
