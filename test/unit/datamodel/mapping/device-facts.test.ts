import { describe, expect, it } from 'vitest'
import { factsOf } from '../../../support/device-facts.ts'
import { type DeviceFacts, expectedFacts, TREE_NAMES } from '../../../support/device-trees.ts'
import { mappedDevice, viewOf } from '../../../support/mapped-tree.ts'

/** Returns the facts that a hand-written expectation names. */
function asked(facts: Partial<DeviceFacts>, expected: Partial<DeviceFacts>): Partial<DeviceFacts> {
  const shown: Partial<DeviceFacts> = {}
  for (const key of Object.keys(expected) as (keyof DeviceFacts)[]) Object.assign(shown, { [key]: facts[key] })
  return shown
}

/** Returns the entries of those networks that the other record has. */
function ofNetworks<T>(all: Record<string, T> | undefined, named: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(all ?? {}).filter(([ssid]) => ssid in named))
}

describe('facts of a device under the same paths of TR-181', () => {
  it.each(TREE_NAMES)('%s', (name) => {
    const { family: _family, ...facts } = expectedFacts(name)
    const shown = factsOf(viewOf(mappedDevice(name)))
    if (facts.security !== undefined) shown.security = ofNetworks(shown.security, facts.security)
    if (facts.advertised !== undefined) shown.advertised = ofNetworks(shown.advertised, facts.advertised)
    // The expectation names the first host; the reader of trees adds the others.
    if (name === 'tr098-router') shown.hosts = shown.hosts?.slice(0, 1) ?? []
    expect(asked(shown, facts)).toEqual(facts)
  })

  it('a device without optics has no optical interface', () => {
    const paths = [...viewOf(mappedDevice('tr098-router')).keys()]
    expect(paths.filter((path) => /^Device\.(?:Optical|XPON)\./.test(path))).toEqual([])
  })

  it('a prefix and an address of IPv6 are rows of the IP interface of their line', () => {
    const view = viewOf(mappedDevice('huawei-hg8145v5'))
    const line = [...view].find(
      ([path, value]) => /^Device\.IP\.Interface\.\d+\.LowerLayers$/.test(path) && value.includes('PPP'),
    )
    const row = line?.[0].replace('LowerLayers', '')
    expect(view.get(`${row}IPv6Address.1.IPAddress`)).toBe('2001:db8:46:7::74')
    expect(view.get(`${row}IPv6Prefix.1.Prefix`)).toBe('2001:db8:4600:7400::/56')
  })

  it('a place that is empty or 0 does not hide the one that has a reading', () => {
    // Both have a container for GPON and one for EPON.
    expect(viewOf(mappedDevice('fiberhome-hg6543c')).get('Device.Optical.Interface.1.OpticalSignalLevel')).toBe(
      '-23100',
    )
    expect(viewOf(mappedDevice('cmcc-h1s3-epon')).get('Device.Optical.Interface.1.Status')).toBe('Up')
  })
})
