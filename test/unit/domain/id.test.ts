import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceIdOf, type EndpointId, identityInEndpointId, parseDeviceId } from '../../../src/domain/index.ts'

describe('deviceIdOf', () => {
  it.each([
    [{ oui: '00256d', productClass: 'HG-8245', serial: 'A B%C/D' }, '00256D-HG%2D8245-A%20B%25C%2FD'],
    [{ oui: '00256D', productClass: '', serial: 'X_1' }, '00256D--X_1'],
    [{ oui: ' 00256D ', productClass: 'Box', serial: 'Zürich' }, '00256D-Box-Z%C3%BCrich'],
  ])('encodes each part outside letters, digits and _ (%j)', (identity, id) => {
    expect(deviceIdOf(identity)).toBe(id)
  })

  it('gives back the identity it was made of, for any text', () => {
    const part = fc.string({ maxLength: 64, unit: 'grapheme' }).filter((text) => [...text].length <= 64)
    fc.assert(
      fc.property(
        part,
        part.filter((text) => text !== ''),
        (productClass, serial) => {
          const id = deviceIdOf({ oui: 'a0b1c2', productClass, serial })
          expect(parseDeviceId(id)).toEqual({ oui: 'A0B1C2', productClass, serial })
        },
      ),
    )
  })

  it('keeps equal serials of different OUIs apart and equal OUIs of different case together', () => {
    const cpe = (oui: string) => deviceIdOf({ oui, productClass: 'C', serial: '1' })
    expect(cpe('00256D')).not.toBe(cpe('00256E'))
    expect(cpe('00256d')).toBe(cpe('00256D'))
  })

  it.each(['00256D', '00256D1', '00256D123'])('takes the OUI %s, of a block of 24, 28 or 36 bits', (oui) => {
    expect(deviceIdOf({ oui, productClass: 'C', serial: '1' })).toBe(`${oui}-C-1`)
  })

  it.each([
    [{ oui: '00256', productClass: 'C', serial: '1' }, /hex digits/],
    [{ oui: '00256D12', productClass: 'C', serial: '1' }, /hex digits/],
    [{ oui: '00256D', productClass: 'C', serial: '' }, /SerialNumber is empty/],
    [{ oui: '00256D', productClass: 'C'.repeat(65), serial: '1' }, /longer than 64/],
  ])('refuses %j', (identity, why) => {
    expect(() => deviceIdOf(identity)).toThrow(why)
  })

  it.each(['', 'a-b', '00256d-C-1', '00256D-C-1-2', '00256D-C-%zz', '00256D-C-%41'])(
    'does not take %j for an id',
    (text) => {
      expect(() => parseDeviceId(text)).toThrow(/device id/)
    },
  )
})

describe('identityInEndpointId', () => {
  it.each([
    ['os::00256d-0123-45', { oui: '00256D', serial: '0123-45' }],
    ['ops::00256D-HG%2D82-S1', { oui: '00256D', productClass: 'HG-82', serial: 'S1' }],
    ['ops::00256D-HG-82-S1', undefined],
    ['proto::x', undefined],
    ['uuid::f81d4fae-7dec', undefined],
  ])('reads %s', (eid, identity) => {
    expect(identityInEndpointId(eid as EndpointId)).toEqual(identity)
  })
})
