import { describe, expect, it } from 'vitest'
import {
  buildInstanceMap,
  DeviceMapping,
  decidesRows,
  familyOf,
  loadModel,
  Mappings,
  RawTree,
  wlanLayout,
} from '../../../../src/datamodel/index.ts'
import { readTree, TREE_NAMES } from '../../../support/device-trees.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { type TreeValue, tr098Router } from '../../../support/tr098-router.ts'

const mappings = new Mappings(loadModel('tr181-cwmp'))
const time = { at: Date.UTC(2026, 0, 1) }

function treeOf(name: string): TreeValue[] {
  return [...readTree(name)].map(([path, { value }]) => ({ path, value }))
}

function deviceOf(values: readonly TreeValue[]) {
  const tree = new RawTree(values)
  const kind = { family: familyOf(tree.values.keys()), models: [] }
  const mapping = mappings.of(kind)
  const traits = { family: kind.family, layout: wlanLayout(kind) }
  const map = buildInstanceMap(mapping, tree, traits, undefined)
  return { tree, mapping, traits, map, device: new DeviceMapping(mapping, map, kind.family) }
}

/** Returns other texts for a value, of its own kind. */
function others(value: string): string[] {
  if (value === 'true' || value === 'false') return [value === 'true' ? 'false' : 'true']
  if (/^-?\d+$/.test(value)) return [String(Number(value) + 1)]
  return ['Down', '']
}

describe('a changed parameter', () => {
  it.each(['', 'ctcom-gm220s-epon', 'fiberhome-hg6543c'])('changes nothing but its targets, on %s', (name) => {
    const values = name === '' ? tr098Router() : treeOf(name)
    const { tree, device } = deviceOf(values)
    const before = new Map(mapTree(device, tree, time).values.map(({ path, value }) => [path, value]))
    const missed: string[] = []
    for (const { path, value } of values) {
      if (decidesRows(path)) continue
      const targets = new Set(device.targetsOf(path))
      for (const other of others(value)) {
        tree.put(path, other)
        const after = new Map(mapTree(device, tree, time).values.map(({ path, value }) => [path, value]))
        for (const to of new Set([...before.keys(), ...after.keys()]))
          if (before.get(to) !== after.get(to) && !targets.has(to)) missed.push(`${path} -> ${to}`)
      }
      tree.put(path, value)
    }
    expect(missed).toEqual([])
  })

  it.each(TREE_NAMES)('changes rows only where decidesRows says so, on %s', (name) => {
    const values = treeOf(name)
    const { mapping, traits, map } = deviceOf(values)
    for (const other of ['1', 'x', '']) {
      const changed = values.map(({ path, value }) => ({ path, value: decidesRows(path) ? value : other }))
      expect(buildInstanceMap(mapping, new RawTree(changed), traits, undefined)).toEqual(map)
    }
  })
})
