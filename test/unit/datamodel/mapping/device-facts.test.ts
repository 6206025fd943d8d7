import { describe, expect, it } from 'vitest'
import {
  buildInstanceMap,
  compileMapping,
  DERIVED,
  DeviceMapping,
  familyOf,
  loadModel,
  mapTree,
  RawTree,
  standardRows,
  TRANSFORMS,
  vendorRows,
  wlanLayout,
} from '../../../../src/datamodel/index.ts'
import { factsOf } from '../../../support/device-facts.ts'
import { type DeviceFacts, expectedFacts, readTree, TREE_NAMES } from '../../../support/device-trees.ts'

const model = loadModel('tr181-cwmp')
const TIME = { at: Date.UTC(2024, 4, 2, 10), upTimeS: 3600 }

/** Returns the TR-181 view of a test device: its own values of TR-181, if it has any, and all mapped ones above them. */
function viewOf(name: string): Map<string, string> {
  const own = readTree(name)
  const info = (leaf: string) => [...own].find(([path]) => path.endsWith(`.DeviceInfo.${leaf}`))?.[1].value ?? ''
  const family = familyOf(own.keys())
  const kind = { family, models: [info('ModelName'), info('ProductClass')] }
  const rows = [...standardRows(), ...vendorRows(kind)]
  const mapping = compileMapping(rows, DERIVED, TRANSFORMS, model)
  const tree = new RawTree([...own].map(([path, { value }]) => ({ path, value })))
  const map = buildInstanceMap(mapping, tree, { family, layout: wlanLayout(kind) }, undefined)
  const device = new DeviceMapping(mapping, map, family)
  const view = new Map(
    [...own].filter(([path]) => path.startsWith('Device.')).map(([path, { value }]) => [path, value]),
  )
  for (const { path, value } of mapTree(device, tree, TIME).values) view.set(path, value)
  return view
}

/** Returns the facts that a hand-written expectation speaks of. */
function asked(facts: Partial<DeviceFacts>, expected: DeviceFacts): Partial<DeviceFacts> {
  const shown: Partial<DeviceFacts> = {}
  for (const key of Object.keys(expected) as (keyof DeviceFacts)[]) Object.assign(shown, { [key]: facts[key] })
  return shown
}

describe('facts of a device under the same paths of TR-181', () => {
  it.each(TREE_NAMES)('%s', (name) => {
    const expected = expectedFacts(name)
    const { family: _family, ...facts } = expected
    const shown = factsOf(viewOf(name))
    // Networks that are not spoken of may have a mode.
    for (const key of ['security', 'advertised'] as const)
      if (facts[key] !== undefined)
        shown[key] = Object.fromEntries(
          Object.entries(shown[key] ?? {}).filter(([ssid]) => ssid in (facts[key] ?? {})),
        ) as never
    if (name === 'tr098-router') shown.hosts = shown.hosts?.slice(0, 1) ?? []
    expect(asked(shown, facts)).toEqual(facts)
  })
  it('a device without optics has no optical interface', () => {
    const paths = [...viewOf('tr098-router').keys()]
    expect(paths.filter((path) => /^Device\.(?:Optical|XPON)\./.test(path))).toEqual([])
  })
})
