import { describe, expect, it } from 'vitest'
import { TREE_NAMES } from '../../../support/device-trees.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { mappedDevice, mappedTree, READING_TIME } from '../../../support/mapped-tree.ts'

const SPELLINGS: readonly (readonly [yes: string, no: string])[] = [
  ['TRUE', 'FALSE'],
  ['True', 'False'],
  ['Enabled', 'Disabled'],
]

/** Returns a test device as it is, and with the booleans of its tree in another spelling. */
function spelledOtherwise(name: string, [yes, no]: (typeof SPELLINGS)[number]) {
  const given = mappedDevice(name)
  const own = [...given.own].map(([path, parameter]): [string, typeof parameter] => {
    const { type, value } = parameter
    if (type !== 'boolean') return [path, parameter]
    return [path, { ...parameter, value: /^(1|true)$/i.test(value) ? yes : no }]
  })
  return { given, other: mappedTree(new Map(own)) }
}

const valuesOf = ({ device, tree }: ReturnType<typeof mappedDevice>) => mapTree(device, tree, READING_TIME).values

describe.each(TREE_NAMES)('the booleans of %s', (name) => {
  it.each(SPELLINGS)('read the same in any spelling, such as %s', (...spelling) => {
    const { given, other } = spelledOtherwise(name, spelling)
    const pairs = (device: typeof given) => new Map(valuesOf(device).map(({ path, value }) => [path, value]))
    expect(pairs(other)).toEqual(pairs(given))
  })

  it('are true or false in TR-181, with the text of the device beside them', () => {
    const { other } = spelledOtherwise(name, ['TRUE', 'FALSE'])
    const booleans = valuesOf(other).filter(({ type }) => type === 'boolean')
    for (const { path, value, source, raw } of booleans) {
      expect({ path, value: ['true', 'false'].includes(value) }).toEqual({ path, value: true })
      if (source !== undefined) expect(raw).toBe(other.tree.value(source))
    }
  })
})
