import { describe, expect, it } from 'vitest'
import { checkRow, loadModel, type MappingRow, standardRows, TRANSFORMS } from '../../../../src/datamodel/index.ts'

const model = loadModel('tr181-cwmp')
const GOOD: MappingRow = {
  from: 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.X_EXAMPLE_Name',
  to: 'Device.WiFi.SSID.{i}.SSID',
}
const places = (row: Partial<MappingRow>) =>
  checkRow({ ...GOOD, ...row }, TRANSFORMS, model).map(({ place, text }) => `${place} ${text}`)

describe('checkRow', () => {
  it('finds nothing wrong with a good row, nor with the standard ones', () => {
    expect(places({})).toEqual([])
    const wrong = standardRows().flatMap((row) =>
      checkRow(row, TRANSFORMS, model).map(({ place, text }) => `${row.from} > ${row.to}: ${place} ${text}`),
    )
    expect(wrong).toEqual([])
  })

  it.each<[string, Partial<MappingRow>, RegExp]>([
    ['a source outside both trees', { from: 'Elsewhere.X' }, /^from does not begin/],
    ['an object as source', { from: 'InternetGatewayDevice.DeviceInfo.' }, /^from is not the path of a parameter/],
    ['instance numbers', { from: 'InternetGatewayDevice.LANDevice.1.X' }, /^from has instance numbers/],
    ['a target that no model has', { to: 'Device.WiFi.SSID.{i}.Colour' }, /^to is no parameter of TR-181/],
    ['an unknown transform', { transform: 'magic' }, /^transform "magic" is not known/],
    ['a write that has no way', { transform: 'ifStatus', writable: true }, /^writable values of ifStatus/],
    ['tables that no rule joins', { to: 'Device.NAT.PortMapping.{i}.Description' }, /^to no rule joins/],
    ['a rank below 0', { rank: -1 }, /^rank /],
    [
      'a condition elsewhere',
      { when: { param: 'InternetGatewayDevice.WANDevice.{i}.X', in: ['1'] } },
      /^when param lies/,
    ],
    ['a condition without values', { when: { param: 'InternetGatewayDevice.Time.Enable' } }, /^when has in or notIn/],
  ])('names the place of %s', (_name, row, problem) => {
    expect(places(row).join('\n')).toMatch(problem)
  })
})
