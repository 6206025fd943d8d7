import type { VendorFamily } from './family.ts'
import { IGD, optics, place, STATION, WAN, WLAN } from './places.ts'

const OPTICAL = `${WAN}X_AVM-DE_Optical.Interface.{i}.`
const DOCUMENT = 'document of the maker'
const FIXED = ['WPAAuthenticationMode', 'WPAEncryptionModes', 'IEEE11iAuthenticationMode', 'IEEE11iEncryptionModes']

/** AVM (X_AVM-DE_). */
export const AVM: VendorFamily = {
  name: 'avm',
  prefixes: ['X_AVM-DE_'],
  kind: 'maker',
  rows: [
    place(`${OPTICAL}OpticalSignalLevel`, 'Device.Optical.Interface.{i}.OpticalSignalLevel', {
      transform: 'opticalMilliDbm',
      evidence: DOCUMENT,
    }),
    place(`${OPTICAL}TransmitOpticalLevel`, 'Device.Optical.Interface.{i}.TransmitOpticalLevel', {
      transform: 'opticalMilliDbm',
      evidence: DOCUMENT,
    }),
    ...optics(OPTICAL, { status: ['Status'] }, { evidence: DOCUMENT }),
    place(`${WLAN}X_AVM-DE_PossibleBeaconTypes`, 'Device.WiFi.AccessPoint.{i}.Security.ModesSupported', {
      transform: 'beaconTypes',
      rank: 0,
      evidence: DOCUMENT,
    }),
    place(`${STATION}AssociatedDeviceMacAddress`, 'Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.MACAddress', {
      rank: 2,
      evidence: DOCUMENT,
    }),
  ],
  layouts: [{ '2.4GHz': [1], '5GHz': [2], evidence: '10 models of several makers' }],
  quirks: {
    parameters: [
      ...FIXED.map((leaf) => ({
        on: `${WLAN}${leaf}`,
        omit: true as const,
        evidence: 'document of the maker: any other value than the one it shows is an error',
      })),
      {
        on: `${WLAN}Standard`,
        refuses: { fault: 9008, why: 'the device only shows it' },
        evidence: DOCUMENT,
      },
      {
        on: `${IGD}UserInterface.RemoteAccess.Username`,
        refuses: { fault: 9003, why: 'the device replaces it by a random name' },
        evidence: DOCUMENT,
      },
    ],
    objects: [],
  },
}
