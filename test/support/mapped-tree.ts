import {
  buildInstanceMap,
  type DeviceKind,
  DeviceMapping,
  familyOf,
  loadModel,
  Mappings,
  RawTree,
  wlanLayout,
} from '../../src/datamodel/index.ts'
import { type DeviceTree, readTree } from './device-trees.ts'
import { mapTree } from './map-tree.ts'

const mappings = new Mappings(loadModel('tr181-cwmp'))
export const READING_TIME = { at: Date.UTC(2024, 4, 2, 10) }

/** A test device with its mapping, as rows of the standard and of all vendors make it. */
export interface MappedDevice {
  own: DeviceTree
  kind: DeviceKind
  tree: RawTree
  device: DeviceMapping
}

/** Returns a test device with its mapping. */
export function mappedDevice(name: string): MappedDevice {
  return mappedTree(readTree(name))
}

/** Returns a device of any tree with its mapping. */
export function mappedTree(own: DeviceTree): MappedDevice {
  const info = (leaf: string) => [...own].find(([path]) => path.endsWith(`.DeviceInfo.${leaf}`))?.[1].value ?? ''
  const family = familyOf(own.keys())
  const kind = { family, models: [info('ModelName'), info('ProductClass')] }
  const mapping = mappings.of(kind)
  const tree = new RawTree([...own].map(([path, { value }]) => ({ path, value })))
  const map = buildInstanceMap(mapping, tree, { family, layout: wlanLayout(kind) }, undefined)
  return { own, kind, tree, device: new DeviceMapping(mapping, map, family) }
}

/** Returns the view of a device in TR-181 as a record has it: mapped values where the device shows none itself. */
export function viewOf({ own, tree, device }: MappedDevice): Map<string, string> {
  const view = new Map(
    [...own].filter(([path]) => path.startsWith('Device.')).map(([path, { value }]) => [path, value]),
  )
  for (const { path, value } of mapTree(device, tree, READING_TIME).values) if (!own.has(path)) view.set(path, value)
  return view
}
