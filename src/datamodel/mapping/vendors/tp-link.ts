import type { VendorFamily } from './family.ts'
import { keyPlace, optics, place, rssi, stationStandard, width } from './places.ts'

const GPON = 'Device.Optical.Interface.{i}.X_TP_GPON_Config.'
/** TP-Link (X_TP_), with TR-181 or TR-098. */
export const TP_LINK: VendorFamily = {
  name: 'tp-link',
  prefixes: ['X_TP_'],
  kind: 'maker',
  rows: [
    ...optics(
      GPON,
      {
        rx: ['RXPower'],
        tx: ['TXPower'],
        temperature: ['TransceiverTemperature'],
        voltage: ['SupplyVottage'],
        bias: ['BiasCurrent'],
      },
      { evidence: '2 lineages, 2 models' },
    ),
    place(`${GPON}PonMode`, 'Device.XPON.ONU.{i}.ANI.{i}.PONMode', { transform: 'ponMode', evidence: '1 lineage' }),
    ...['X_TP_UpTime', 'Uptime'].map((leaf, at) =>
      place(`Device.PPP.Interface.{i}.${leaf}`, 'Device.PPP.Interface.{i}.LastChange', {
        rank: 2 + at,
        transform: 'uptime',
        evidence: 'XC220; EC220 v3, EX510',
      }),
    ),
    // MultiAP was the predecessor of DataElements, and counts the received level in the same way.
    place(
      'Device.WiFi.MultiAP.APDevice.{i}.Radio.{i}.AP.{i}.AssociatedDevice.{i}.SignalStrength',
      'Device.WiFi.DataElements.Network.Device.{i}.Radio.{i}.BSS.{i}.STA.{i}.SignalStrength',
      { evidence: '6 models' },
    ),
    place(
      'Device.WiFi.MultiAP.APDevice.{i}.Radio.{i}.AP.{i}.AssociatedDevice.{i}.MACAddress',
      'Device.WiFi.DataElements.Network.Device.{i}.Radio.{i}.BSS.{i}.STA.{i}.MACAddress',
      { evidence: '6 models' },
    ),
    keyPlace('X_TP_PreSharedKey', { rank: 4, evidence: '5 lineages, 6 models' }),
    keyPlace('X_TP_Password', { rank: 5, evidence: 'Archer C6' }),
    width('X_TP_Bandwidth', 'wlanWidthShort', { evidence: '6 models' }),
    rssi('X_TP_StaSignalStrength', { evidence: '1 to 3 models' }),
    stationStandard('X_TP_StaStandard', { evidence: '1 to 3 models' }),
  ],
  layouts: [
    { models: ['Archer C5', 'Archer C6', 'EC220-G5'], '2.4GHz': [1], '5GHz': [2], evidence: '10 models' },
    { '2.4GHz': [1, 2], '5GHz': [3, 4], evidence: '10 models, live' },
  ],
  quirks: {
    parameters: [
      ...['ExternalPortEndRange', 'X_TP_InternalPortEnd'].map((leaf) => ({
        on: `*.PortMapping.{i}.${leaf}`,
        models: ['Archer C5', 'TL-WR840N'],
        type: 'string' as const,
        evidence: '2 models',
      })),
      { on: '*.PortMapping.{i}.RemoteHost', omit: true, evidence: 'list' },
    ],
    objects: [
      {
        on: 'Device.NAT.PortMapping.{i}.',
        values: [{ param: 'Interface', lastOf: 'Device.IP.Interface.' }],
        evidence: '10 models',
      },
    ],
  },
}
