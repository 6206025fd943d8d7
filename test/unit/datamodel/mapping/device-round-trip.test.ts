import { describe, expect, it } from 'vitest'
import {
  applyQuirks,
  canWrite,
  loadModel,
  MappingRefusal,
  type ModelParameter,
  planWrite,
  sameParameterValue,
  writeQuirks,
} from '../../../../src/datamodel/index.ts'
import { TREE_NAMES } from '../../../support/device-trees.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { mappedDevice, READING_TIME } from '../../../support/mapped-tree.ts'

const model = loadModel('tr181-cwmp')

/** Values to write, beside the one that is shown. */
function candidates({ type, facets, name }: ModelParameter): string[] {
  if (facets.e !== undefined) return facets.l === undefined ? facets.e : [...facets.e, facets.e.slice(0, 2).join(',')]
  if (type === 'boolean') return ['true', 'false']
  if (type === 'string') {
    if (/Interface|LowerLayers|Reference$|Host$|Bridge$/.test(name)) return ['']
    return ['another text', '198.51.100.7', '02:00:00:00:00:07', '12345678']
  }
  if (type === 'unsignedInt' || type === 'int' || type === 'long' || type === 'unsignedLong') return ['1', '2', '100']
  return []
}

describe('every value that can be written', () => {
  it.each(TREE_NAMES)('of %s is the one that it shows then, or the write is refused', (name) => {
    const { own, kind, tree, device } = mappedDevice(name)
    const flag = (path: string) => own.get(path)?.writable
    const paths = mapTree(device, tree, READING_TIME).values.map(({ path }) => path)
    const wrong: string[] = []
    let written = 0
    for (const path of paths) {
      const parameter = model.parameter(path)
      if (parameter === undefined || own.has(path) || !canWrite(device, path, tree, flag)) continue
      for (const value of candidates(parameter)) {
        try {
          const { values } = planWrite(device, [{ path, value }], tree, READING_TIME, flag)
          const { steps, omitted } = applyQuirks(values, writeQuirks(kind), tree, (raw) => own.get(raw)?.type)
          if (values.some((raw) => omitted.includes(raw.path))) continue
          const after = new Map(steps.flat().map((raw) => [raw.path, raw.value]))
          const changed = {
            value: (raw: string) => after.get(raw) ?? tree.value(raw),
            children: (object: string) => tree.children(object),
          }
          const shown = device.evaluate(path, changed, READING_TIME)?.value
          // A URI is shown with its scheme.
          const read = shown === `sip:${value}` ? value : shown
          if (read !== undefined && sameParameterValue(parameter, parameter.type, read, value)) written++
          else wrong.push(`${path} = ${value} reads ${read}: ${JSON.stringify(steps)}`)
        } catch (error) {
          if (!(error instanceof MappingRefusal)) throw error
        }
      }
    }
    expect(wrong).toEqual([])
    // Devices of TR-181 show nearly all values themselves.
    if (![...own.keys()].some((path) => path.startsWith('Device.'))) expect(written).toBeGreaterThan(20)
  })
})
