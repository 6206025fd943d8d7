import { describe, expect, it } from 'vitest'
import { TRANSFORMS } from '../../../../../src/datamodel/mapping/transforms/index.ts'

/** Transforms of the rows of TR-098, and those of them that have a way from TR-181 to the device. */
const READ_ONLY =
  'addrType4 bpsToKbps bpsToMbps callState codecRef connToIfStatus countRows counter32 dhcpRelay dslLinkStatus ' +
  'enabledStatus fwdStatus hexString hostIfType hostL1Ref hostSource ifStatus mbpsToKbps negToZero optHex ' +
  'physToIfStatus pppCompression secondsToDate sipClientStatus timeStatus tzOffset uptime uptimeToLastChange ' +
  'voiceLineStatus wlanApStatus wlanMaxBitRate wlanSecurityPart wpsStatus wpsVersion'
const BOTH_WAYS =
  'addrTypeToDhcp atmDest atmLinkType base64ToHex bitRateMbps bridgeIfRef bridgeKeyRef bridgeStandard diagState dtmf ' +
  'filterIf firewallConfig firewallEnable idHex ifRef instRef listSelf macList maskToPrefix noClass nonZeroVlan ntpSlot ' +
  'paramRef pathRef pinPad poolOrder pskHex qosIfRef regDomain rgbHex sipUri splitList txPower tzName voiceEnable ' +
  'voiceQuiescent wanConnRef wepKeyHex wlanChannel wlanEncryption wlanSecurityMode wlanStandard wpsMethods zeroToEmpty'

describe('the transforms of TR-098', () => {
  it.each(READ_ONLY.split(' '))('has %s, to read alone', (name) => {
    expect(TRANSFORMS.get(name)?.read).toBeTypeOf('function')
    expect(TRANSFORMS.get(name)?.write).toBeUndefined()
  })

  it.each(BOTH_WAYS.split(' '))('has %s, both ways', (name) => {
    expect(TRANSFORMS.get(name)?.read).toBeTypeOf('function')
    expect(TRANSFORMS.get(name)?.write).toBeTypeOf('function')
  })
})
