import {
  buildInstanceMap,
  compileMapping,
  DERIVED,
  DeviceMapping,
  loadModel,
  type Mapping,
  type MappingRow,
  RawTree,
  standardRows,
  TRANSFORMS,
} from '../../src/datamodel/index.ts'
import type { TreeValue } from './tr098-router.ts'

const model = loadModel('tr181-cwmp')

/** Returns rows compiled with all transforms and derived parameters. */
export function compiled(rows: readonly MappingRow[] = standardRows()): Mapping {
  return compileMapping(rows, DERIVED, TRANSFORMS, model)
}

/** Returns the mapping of a device with a tree, and the tree. */
export function mappedDevice(values: readonly TreeValue[], mapping: Mapping = compiled(), family?: string) {
  const tree = new RawTree(values)
  const map = buildInstanceMap(mapping, tree, { family }, undefined)
  return { tree, map, device: new DeviceMapping(mapping, map, family) }
}
