import { expect, it } from 'vitest'
import { buildInstanceMap, DeviceMapping, loadModel, Mappings, RawTree } from '../../../../src/datamodel/index.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { under } from '../../../support/tr098-router.ts'

const LAYER_2 = 'InternetGatewayDevice.Layer2Bridging.'
const LAN_PORTS = 'InternetGatewayDevice.LANDevice.1.LANEthernetInterfaceConfig.'
const BRIDGES = 4
const mapping = new Mappings(loadModel('tr181-cwmp')).of({ family: undefined, models: [] })

/** A tree that counts the looks at it. */
class CountedTree extends RawTree {
  looks = 0

  override value(path: string): string | undefined {
    this.looks++
    return super.value(path)
  }

  override children(object: string): readonly string[] {
    const names = super.children(object)
    this.looks += names.length
    return names
  }
}

/** A device with so many ports, each of them in one of the bridges and with a filter. */
function bridged(ports: number): CountedTree {
  const numbers = Array.from({ length: ports }, (_, i) => i + 1)
  const tree = new CountedTree([
    ...numbers.flatMap((n) => [
      ...under(`${LAN_PORTS}${n}.`, { Enable: true }),
      ...under(`${LAYER_2}AvailableInterface.${n}.`, {
        AvailableInterfaceKey: n,
        InterfaceReference: `${LAN_PORTS}${n}`,
      }),
      ...under(`${LAYER_2}Filter.${n}.`, { FilterInterface: n, FilterBridgeReference: (n % BRIDGES) + 1 }),
      ...under(`${LAYER_2}Bridge.${(n % BRIDGES) + 1}.Port.${n}.`, { PortEnable: true, PortInterface: n }),
    ]),
    ...[1, 2, 3, 4].flatMap((n) => under(`${LAYER_2}Bridge.${n}.`, { BridgeKey: n })),
  ])
  tree.looks = 0
  return tree
}

/** Returns the looks at a tree for its instance map, and for its values. */
function looksFor(ports: number): { map: number; values: number; mapped: number } {
  const tree = bridged(ports)
  const map = buildInstanceMap(mapping, tree, {}, undefined)
  const looks = tree.looks
  const { values } = mapTree(new DeviceMapping(mapping, map, undefined), tree, { at: 0 })
  return { map: looks, values: tree.looks - looks, mapped: values.length }
}

it('looks at each interface of a bridge as often on a large device as on a small one', () => {
  const small = looksFor(100)
  const large = looksFor(400)
  expect(large.mapped).toBeGreaterThan(3.5 * small.mapped)
  expect(large.map).toBeLessThan(4.2 * small.map)
  expect(large.values).toBeLessThan(4.2 * small.values)
})

it('gives each port and filter of a bridge its interface', () => {
  const tree = bridged(8)
  const device = new DeviceMapping(mapping, buildInstanceMap(mapping, tree, {}, undefined), undefined)
  const read = (path: string) => device.evaluate(path, tree, { at: 0 })?.value
  expect(read('Device.Bridging.Bridge.2.Port.5.LowerLayers')).toBe('Device.Ethernet.Interface.5')
  expect(read('Device.Bridging.Filter.5.Interface')).toBe('Device.Bridging.Bridge.2.Port.5')
  tree.put(`${LAYER_2}AvailableInterface.5.InterfaceReference`, `${LAN_PORTS}6`)
  expect(read('Device.Bridging.Bridge.2.Port.5.LowerLayers')).toBe('Device.Ethernet.Interface.6')
})
