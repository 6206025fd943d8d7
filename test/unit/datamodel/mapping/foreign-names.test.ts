import { describe, expect, it } from 'vitest'
import { FAMILIES, MappingRefusal, planWrite } from '../../../../src/datamodel/index.ts'
import { TREE_NAMES } from '../../../support/device-trees.ts'
import { type MappedDevice, mappedDevice, READING_TIME } from '../../../support/mapped-tree.ts'

/** Extensions of all families, with the family of each. */
const EXTENSIONS = FAMILIES.flatMap(({ name, prefixes }) => prefixes.map((prefix) => ({ name, prefix: `.${prefix}` })))

/** Returns the text of the refusal of a write; '' where it is planned. */
function refusalOf({ device, tree, own }: MappedDevice, path: string): string {
  try {
    planWrite(device, [{ path, value: 'x' }], tree, READING_TIME, (raw) => own.get(raw)?.writable)
    return ''
  } catch (error) {
    if (error instanceof MappingRefusal) return `${error.message} ${error.source ?? ''}`
    throw error
  }
}

/** Returns one parameter of each target that the device has a row for, as far as it has the table. */
function targetsOf({ device }: MappedDevice): string[] {
  const paths: string[] = []
  for (const { schema, rows } of device.mapping.targets.values())
    if (rows.length > 0) paths.push(schema.replaceAll('{i}', '1'))
  return paths
}

describe('the refusal of a write', () => {
  it.each(TREE_NAMES)('names no extension that %s does not have', (name) => {
    const mapped = mappedDevice(name)
    const shown = [...mapped.own.keys()]
    const foreign = EXTENSIONS.filter(
      (extension) => extension.name !== mapped.kind.family && !shown.some((path) => path.includes(extension.prefix)),
    )
    const wrong = targetsOf(mapped)
      .map((path) => refusalOf(mapped, path))
      .filter((text) => foreign.some(({ prefix }) => text.includes(prefix)))
    expect(wrong).toEqual([])
  })

  it('says that the switch of a VLAN follows from others on a FiberHome device that has none', () => {
    const text = refusalOf(mappedDevice('fiberhome-hg6543c'), 'Device.Ethernet.VLANTermination.1.Enable')
    expect(text).toContain('follows from other parameters')
  })
})
