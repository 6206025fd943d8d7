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
  type Transform,
} from '../../src/datamodel/index.ts'
import type { TreeValue } from './tr098-router.ts'

const model = loadModel('tr181-cwmp')

const words = (map: Record<string, string>, otherwise?: string): Transform => ({
  read: (raw) => map[raw] ?? otherwise,
})

/** A few transforms, where a test is about something else than transforms: all others are the same text. */
export const FEW_TRANSFORMS: ReadonlyMap<string, Transform> = new Map<string, Transform>([
  ['ifStatus', words({ Up: 'Up', NoLink: 'Down', Disabled: 'Down', Error: 'Error' }, 'Unknown')],
  ['connToIfStatus', words({ Connected: 'Up', Disconnected: 'Down', Unconfigured: 'Down' }, 'Dormant')],
  ['hostIfType', words({ Ethernet: 'Ethernet', '802.11': 'Wi-Fi' }, 'Other')],
  ['addrTypeToDhcp', words({ DHCP: 'true', Static: 'false' })],
  ['countRows', { read: () => undefined }],
  ['wlanSecurityPart', { read: () => undefined }],
  [
    'wanConnRef',
    {
      read: (raw, context) => context.targetOf(raw, 'Device.IP.Interface.')?.slice(0, -1),
      write: (value, context) => [{ path: context.from, value: context.sourcesOf(value)[0] ?? '' }],
    },
  ],
  [
    'splitList',
    {
      read: (raw, { position }) => raw.split(',').filter((item) => item !== '0.0.0.0')[position],
      write(value, context) {
        const { from, position } = context
        const items = (context.raw(from) ?? '').split(',')
        items[position] = value
        return [{ path: from, value: items.join(',') }]
      },
    },
  ],
])

/** Returns rows compiled with some transforms; a transform that is not among them leaves the text as it is. */
export function compiled(
  rows: readonly MappingRow[] = standardRows(),
  transforms: ReadonlyMap<string, Transform> = FEW_TRANSFORMS,
): Mapping {
  const same: Transform = {
    read: (raw) => raw,
    write: (value, { from }) => [{ path: from, value }],
  }
  const all = new Map(transforms)
  for (const { transform } of rows) if (transform !== undefined && !all.has(transform)) all.set(transform, same)
  return compileMapping(rows, DERIVED, all, model)
}

/** Returns the mapping of a device with a tree, and the tree. */
export function mappedDevice(values: readonly TreeValue[], mapping: Mapping = compiled(), family?: string) {
  const tree = new RawTree(values)
  const map = buildInstanceMap(mapping, tree, family, undefined)
  return { tree, map, device: new DeviceMapping(mapping, map, family) }
}
