import { describe, expect, it } from 'vitest'
import { factsOf } from '../../../support/device-facts.ts'
import { type DeviceFacts, expectedFacts, TREE_NAMES } from '../../../support/device-trees.ts'
import { mappedDevice, viewOf } from '../../../support/mapped-tree.ts'

/** Returns the facts that a hand-written expectation speaks of. */
function asked(facts: Partial<DeviceFacts>, expected: Partial<DeviceFacts>): Partial<DeviceFacts> {
  const shown: Partial<DeviceFacts> = {}
  for (const key of Object.keys(expected) as (keyof DeviceFacts)[]) Object.assign(shown, { [key]: facts[key] })
  return shown
}

/** Returns the entries of those networks that the other record speaks of. */
function ofNetworks<T>(all: Record<string, T> | undefined, spokenOf: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(all ?? {}).filter(([ssid]) => ssid in spokenOf))
}

describe('facts of a device under the same paths of TR-181', () => {
  it.each(TREE_NAMES)('%s', (name) => {
    const { family: _family, ...facts } = expectedFacts(name)
    const shown = factsOf(viewOf(mappedDevice(name)))
    if (facts.security !== undefined) shown.security = ofNetworks(shown.security, facts.security)
    if (facts.advertised !== undefined) shown.advertised = ofNetworks(shown.advertised, facts.advertised)
    // The rows that the reader of trees adds are not spoken of.
    if (name === 'tr098-router') shown.hosts = shown.hosts?.slice(0, 1) ?? []
    expect(asked(shown, facts)).toEqual(facts)
  })

  it('a device without optics has no optical interface', () => {
    const paths = [...viewOf(mappedDevice('tr098-router')).keys()]
    expect(paths.filter((path) => /^Device\.(?:Optical|XPON)\./.test(path))).toEqual([])
  })
})
