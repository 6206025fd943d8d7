import { describe, expect, it } from 'vitest'
import { isBaseType, parsePath } from '../../../src/datamodel/index.ts'
import { expectedFacts, readTree, TREE_NAMES } from '../../support/device-trees.ts'

describe('trees of test devices', () => {
  it.each(TREE_NAMES)('%s is a tree of parameters with types, and shows no PPP password', (name) => {
    const tree = readTree(name)
    for (const [path, { type, value }] of tree) {
      expect(parsePath(path)).toMatchObject({ kind: 'parameter', search: false })
      expect(isBaseType(type), `${path} ${type}`).toBe(true)
      if (/PPPConnection\.\d+\.Password$|PPP\.Interface\.\d+\.Password$/.test(path)) expect(value).toBe('')
    }
    const root = [...tree.keys()][0]?.split('.')[0]
    expect([...tree.keys()].every((path) => path.startsWith(`${root}.`))).toBe(true)
    expect(tree.get(`${root}.DeviceInfo.ModelName`)?.value).toBe(expectedFacts(name).model)
  })

  it('one is a router of 3,000 parameters', () => {
    expect(readTree('tr098-router').size).toBe(3000)
  })
})
