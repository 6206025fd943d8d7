import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceIdOf, deviceIdsIn, endpointIdsIn, idPrefixesIn, isDeviceId } from '../../../src/domain/index.ts'

describe('deviceIdsIn', () => {
  it.each([
    ['0C96BF-NB%2D7-S1', ['0C96BF-NB%2D7-S1']],
    ['0C96BF-NB-7-S1', ['0C96BF-NB-7%2DS1', '0C96BF-NB%2D7-S1']],
    ['0c96bf-NB%2d7-S1', ['0C96BF-NB%2D7-S1', '0C96BF-NB%252d7-S1']],
    ['001349-VX 200-VX 1é%1', ['001349-VX%20200-VX%201%C3%A9%251']],
    ['0C96BF--S1', ['0C96BF--S1']],
    ['0C96BF-S1', []],
    ['plan', []],
    ['', []],
  ])('reads %j', (text, ids) => {
    expect(deviceIdsIn(text)).toEqual(ids)
  })

  it('finds the id of any device in its text, as it is and decoded once too often', () => {
    const part = fc.string({ maxLength: 20, unit: fc.constantFrom(...'aZ0-_%2D é/+') })
    fc.assert(
      fc.property(part, part, (productClass, rest) => {
        const id = deviceIdOf({ oui: '0C96BF', productClass, serial: `S${rest}` })
        expect(deviceIdsIn(id)).toEqual([id])
        const decoded = decodeURIComponent(id)
        // A text that is an id by itself stands for itself.
        if (!isDeviceId(decoded)) expect(deviceIdsIn(decoded)).toContain(id)
        for (let end = 8; end <= decoded.length; end++)
          expect(idPrefixesIn(decoded.slice(0, end)).some((prefix) => id.startsWith(prefix) || /%/.test(decoded))).toBe(
            true,
          )
      }),
    )
  })

  it('reads no text in more than some ways', () => {
    expect(deviceIdsIn(`0C96BF-${'a-'.repeat(60)}b`).length).toBeLessThanOrEqual(17)
    expect(idPrefixesIn(`0C96BF-${'a-'.repeat(500)}b`).length).toBeLessThanOrEqual(17)
  })
})

describe('endpointIdsIn', () => {
  it.each([
    ['proto::isthmus', ['proto::isthmus']],
    ['ops::0C96BF-NB%2D7-S1', ['ops::0C96BF-NB%2D7-S1']],
    ['ops::0C96BF-NB-7-S1', ['ops::0C96BF-NB-7-S1', 'ops::0C96BF-NB-7%2DS1', 'ops::0C96BF-NB%2D7-S1']],
    ['os::0C96BF-S-1', ['os::0C96BF-S-1', 'os::0C96BF-S%2D1']],
  ])('reads %j', (text, ids) => {
    expect(endpointIdsIn(text)).toEqual(ids)
  })
})
