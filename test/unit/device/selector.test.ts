import { describe, expect, it } from 'vitest'
import { parseSelector } from '../../../src/device/index.ts'

describe('parseSelector', () => {
  it('reads terms, and, or, lists and times into a checked tree', () => {
    expect(parseSelector('manufacturer==Acme;(softwareVersion=ge=1.10,tag=in=(lab,beta))')).toEqual({
      and: [
        { field: 'manufacturer', operator: '==', values: ['Acme'] },
        {
          or: [
            { field: 'softwareVersion', operator: '>=', values: ['1.10'] },
            { field: 'tag', operator: 'in', values: ['lab', 'beta'] },
          ],
        },
      ],
    })
    expect(parseSelector('lastInform<2026-01-01T00:00:00Z')).toEqual({
      field: 'lastInform',
      operator: '<',
      values: [1_767_225_600_000],
    })
    expect(parseSelector('linked==true')).toEqual({ field: 'linked', operator: '==', values: [true] })
  })

  it.each([
    ['password==x', /unknown field "password"; fields are id, oui/],
    ['linked==perhaps', /true or false/],
    ['linked>true', /no order/],
    ['lastInform>yesterday-ish', /ISO 8601/],
    ['manufacturer=', /selector: /],
    ['', /selector/],
    [`model==${'x'.repeat(5000)}`, /longer than 4096/],
    [Array.from({ length: 40 }, () => 'oui==A').join(';'), /more than 64 terms/],
  ])('says what is wrong with %s', (text, why) => {
    expect(() => parseSelector(text)).toThrow(why)
  })
})
