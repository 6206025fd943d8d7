import { describe, expect, it } from 'vitest'
import { loadModel, readRow, standardRows, TRANSFORMS, vendorRows } from '../../../../src/datamodel/index.ts'

const model = loadModel('tr181-cwmp')
const GOOD = {
  from: 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.X_EXAMPLE_Name',
  to: 'Device.WiFi.SSID.{i}.SSID',
}
const problems = (value: unknown) => readRow(value, TRANSFORMS, model).map(({ place, text }) => `${place} ${text}`)

describe('a row that somebody wrote', () => {
  it('is good with the fields of the rows of the source', () => {
    expect(problems({ ...GOOD, writable: true, rank: 0, evidence: 'seen on one device' })).toEqual([])
    const all = [...standardRows(), ...vendorRows({ family: 'huawei', models: [] })]
    expect(all.flatMap((row) => problems(row).map((problem) => `${row.from} > ${row.to}: ${problem}`))).toEqual([])
  })

  it.each<[string, unknown, RegExp]>([
    ['no object', 'a > b', /^ is no object/],
    ['a list', [], /^ is no object/],
    ['no source', { to: GOOD.to }, /^from is missing/],
    ['a field with a slip', { ...GOOD, form: GOOD.from }, /^form is not known; a row has from, to/],
    ['a field of every object', JSON.parse('{"from":"a","to":"b","__proto__":1}'), /__proto__ is not known/],
    ['a rank that is text', { ...GOOD, rank: '0' }, /^rank is no number/],
    ['a switch that is off', { ...GOOD, writable: false }, /^writable is not true/],
    ['a path without end', { ...GOOD, from: `InternetGatewayDevice.${'a'.repeat(300)}` }, /^from is no text of 1 to/],
    ['a family that there is not', { ...GOOD, family: 'acme' }, /^family is no vendor family; huawei,/],
    ['models that are no list', { ...GOOD, models: 'R-1' }, /^models is no list/],
    ['a condition with a slip', { ...GOOD, when: { param: GOOD.from, is: ['1'] } }, /^when is is not known/],
    ['a meaning that fails', { ...GOOD, transform: 'magic' }, /^transform "magic" is not known/],
  ])('is refused as %s, with the field', (_name, value, problem) => {
    expect(problems(value).join('\n')).toMatch(problem)
  })
})
