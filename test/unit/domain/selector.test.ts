import { describe, expect, it } from 'vitest'
import { parseSelector } from '../../../src/domain/index.ts'

describe('parseSelector', () => {
  it('reads terms, and, or, lists and times into a checked tree', () => {
    expect(parseSelector('manufacturer==Acme;(softwareVersion=ge=1.10,tag=in=(lab,beta))')).toEqual({
      and: [
        { field: 'manufacturer', operator: '==', values: ['Acme'] },
        {
          or: [
            { field: 'softwareVersion', operator: '>=', values: ['1.10'] },
            { field: 'tags', operator: 'in', values: ['lab', 'beta'] },
          ],
        },
      ],
    })
    expect(parseSelector('lastInform<2026-01-01T00:00:00Z')).toEqual({
      field: 'cwmp.lastInformAt',
      operator: '<',
      values: [1_767_225_600_000],
    })
    expect(parseSelector('linked==true')).toEqual({ field: 'usp.linked', operator: '==', values: [true] })
  })

  it('takes an id that was decoded once too often for what it can mean', () => {
    const ids = ['0C96BF-NB-7%2DS1', '0C96BF-NB%2D7-S1']
    expect(parseSelector(`id==${ids[0]}`)).toEqual({ field: 'id', operator: '==', values: [ids[0]] })
    expect(parseSelector('id==0C96BF-NB-7-S1')).toEqual({ field: 'id', operator: 'in', values: ids })
    expect(parseSelector('id!=0C96BF-NB-7-S1')).toEqual({ field: 'id', operator: 'out', values: ids })
    expect(parseSelector('id==nothing')).toEqual({ field: 'id', operator: '==', values: ['nothing'] })
    expect(parseSelector('endpointId==ops::0C96BF-VX%20200-S1')).toMatchObject({ operator: '==' })
    expect(parseSelector('binding.endpointId=="ops::0C96BF-VX 200-S1"')).toEqual({
      field: 'binding.endpointId',
      operator: 'in',
      values: ['ops::0C96BF-VX 200-S1', 'ops::0C96BF-VX%20200-S1'],
    })
  })

  it('takes a list behind == and != as well', () => {
    expect(parseSelector('tags==(lab,beta)')).toEqual({ field: 'tags', operator: 'in', values: ['lab', 'beta'] })
    expect(parseSelector('tags!=(lab,b*)')).toEqual({
      not: {
        or: [
          { field: 'tags', operator: '==', values: ['b*'] },
          { field: 'tags', operator: 'in', values: ['lab'] },
        ],
      },
    })
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
