import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkType, loadModel, MappingRefusal, planWrite, RawTree } from '../../../../src/datamodel/index.ts'
import { mapTree } from '../../../support/map-tree.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { tr098Router } from '../../../support/tr098-router.ts'

const mapping = compiled()
const model = loadModel('tr181-cwmp')
const router = tr098Router()
const PPP = 'WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.'
const LAN = 'LANDevice.1.LANHostConfigManagement.'

describe('evaluate', () => {
  it('never throws, and gives values of their type alone, whatever the values of a tree are', () => {
    const odd = fc.oneof(
      fc.string(),
      fc.constantFrom('', '-1', '4294967295', 'NaN', '9'.repeat(400), ',,,', 'InternetGatewayDevice.', '{i}', '\u0000'),
      fc.constantFrom(...router.map(({ path }) => path)),
      fc.constantFrom(...router.map(({ value }) => value)),
    )
    fc.assert(
      fc.property(fc.array(odd, { minLength: router.length, maxLength: router.length }), (values) => {
        const { device, tree } = mappedDevice(
          router.map(({ path }, i) => ({ path, value: values[i] ?? '' })),
          mapping,
        )
        const mapped = mapTree(device, tree, { at: 1_000 })
        for (const { path, value, type } of mapped.values) {
          expect(typeof value).toBe('string')
          const isList = model.parameter(path)?.facets.l !== undefined
          if (!isList) expect({ path, value, is: checkType(type, value) }).toEqual({ path, value })
          device.sourcesOf(path, tree)
        }
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    ['DeviceInfo.UpTime', '-1', 'Device.DeviceInfo.UpTime'],
    ['DeviceInfo.UpTime', '4294967295', 'Device.DeviceInfo.UpTime'],
    [`${PPP}MaxMRUSize`, 'abc', 'Device.PPP.Interface.1.MaxMRUSize'],
    [`${LAN}DHCPLeaseTime`, '', 'Device.DHCPv4.Server.Pool.1.LeaseTime'],
    [`${PPP}Enable`, 'maybe', 'Device.PPP.Interface.1.Enable'],
  ])('has no value for %s = %j', (leaf, value, target) => {
    const source = `InternetGatewayDevice.${leaf}`
    const shown = router.filter(({ path }) => path !== source)
    const read = (values: typeof router) => {
      const { device, tree } = mappedDevice(values, mapping)
      return device.evaluate(target, tree, { at: 0 })
    }
    expect(read([...shown, { path: source, value: '1' }])?.source).toBe(source)
    expect(read([...shown, { path: source, value }])?.value).toBeUndefined()
  })

  it('takes any path, and any value of a write, as a value or a refusal', () => {
    const { device, tree } = mappedDevice(router, mapping)
    const targets = mapTree(device, tree, { at: 0 }).values.map(({ path }) => path)
    const path = fc.oneof(fc.string(), fc.constantFrom(...targets))
    fc.assert(
      fc.property(fc.array(fc.record({ path, value: fc.string() }), { maxLength: 5 }), (request) => {
        for (const { path } of request) {
          device.evaluate(path, tree, { at: 0 })
          device.targetsOf(path)
          device.sourcesOf(path, tree)
        }
        try {
          planWrite(device, request, tree, { at: 0 })
        } catch (error) {
          expect(error).toBeInstanceOf(MappingRefusal)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('depends on nothing but its sources', () => {
    const { device, tree } = mappedDevice(router, mapping)
    for (const { path, value } of mapTree(device, tree, { at: 0 }).values) {
      const target = device.find(path).target
      if (target === undefined || target.derived.length > 0 || path.includes('NumberOfEntries')) continue
      const needed = new Set(device.sourcesOf(path, tree))
      const few = new RawTree(router.filter((entry) => needed.has(entry.path)))
      expect(device.evaluate(path, few, { at: 0 })?.value, path).toBe(value)
    }
  })
})
