import { describe, expect, it } from 'vitest'
import { expectedFacts, TREE_NAMES } from '../../../support/device-trees.ts'
import { RecordOnly } from '../../../support/live-facts.ts'
import { mappedDevice, viewOf } from '../../../support/mapped-tree.ts'

describe('the live facts of a device, whatever its own tree looks like', () => {
  it.each(TREE_NAMES)('%s', (name) => {
    const { optics, pppoe, ssids, cpuPercent } = expectedFacts(name)
    const { wan, optical, wifi, system } = new RecordOnly().report(Object.fromEntries(viewOf(mappedDevice(name))))
    const shown: Record<string, unknown> = {}
    const expected: Record<string, unknown> = {}
    const compare = (fact: string, value: unknown, wanted: unknown) => {
      if (wanted === undefined) return
      shown[fact] = value
      expected[fact] = wanted
    }
    compare('rx', optical?.rxPowerDbm, optics?.rxDbm)
    compare('tx', optical?.txPowerDbm, optics?.txDbm)
    compare('temperature', optical?.temperatureC, optics?.temperatureC)
    compare('user', wan?.pppUser, pppoe?.user)
    compare('state', wan?.state, pppoe?.status)
    compare('address', wan?.ipAddress ?? '', pppoe?.ip)
    compare('vlan', wan?.vlanId, pppoe?.vlan)
    compare('2.4 GHz', wifi?.ssids2g, ssids?.['2.4GHz'])
    compare('5 GHz', wifi?.ssids5g, ssids?.['5GHz'])
    compare('cpu', system?.cpuPercent, cpuPercent)
    expect(shown).toEqual(expected)
  })
})
