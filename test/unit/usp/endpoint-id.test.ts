import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEndpointId } from '../../../src/usp/wire/index.ts'

/** True when a text is taken for an Endpoint ID; any refusal must be a ProtocolError. */
function taken(text: string): boolean {
  try {
    expect(parseEndpointId(text)).toBe(text)
    return true
  } catch (error) {
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'endpointId' })
    return false
  }
}

describe('an Endpoint ID', () => {
  it.each([
    ['oui, 24 bits', 'oui:00256D:my-id'],
    ['oui, 28 bits', 'oui:00256D1:my-id'],
    ['oui, 36 bits', 'oui:00256D123:my-id'],
    ['oui in small letters', 'oui:00256d:my-id'],
    ['cid', 'cid:3AA3F8:box.1'],
    ['pen', 'pen:3561:my-id'],
    ['self without authority', 'self::controller'],
    ['self with authority', 'self:a.b-_1:controller'],
    ['user without authority', 'user::home'],
    ['user with authority', 'user:acme:home'],
    ['os', 'os::00256D-0123456789'],
    ['os with a dash in the serial', 'os::00256D-01-23'],
    ['ops', 'ops::00256D-Home%20Box-S1'],
    ['uuid', 'uuid::f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ['imei', 'imei::990000862471854'],
    ['fqdn', 'fqdn::usp.example.com'],
    ['proto', 'proto::agent'],
    ['proto with authority', 'proto:lab-1:agent'],
    ['doc', 'doc::agent'],
    ['doc with authority', 'doc:a.b:agent'],
  ])('may be of scheme %s', (_name, text) => expect(taken(text)).toBe(true))

  it.each([
    ['nothing', ''],
    ['no colon', 'os'],
    ['one colon', 'os:00256D-1'],
    ['no scheme', '::x'],
    ['no instance', 'os::'],
    ['a scheme that does not exist', 'mac::00256D'],
    ['a scheme in capitals', 'OS::00256D-1'],
    ['a name that every object has', 'constructor::x'],
    ['another such name', '__proto__::x'],
    ['the prefix of certificates', 'urn:bbf:usp:id:os::00256D-1'],
    ['a space', 'os::00256D-Home Box'],
    ['a third colon', 'os::00256D:1'],
    ['a slash', 'os::00256D/1'],
    ['a plus', 'os::a+b'],
    ['a percent that encodes nothing', 'os::00256D-%'],
    ['a percent with half a byte', 'os::00256D-%2'],
    ['a percent with other letters', 'os::00256D-%zz'],
    ['an umlaut that is not encoded', 'os::00256D-\u00e4'],
    ['a wildcard', 'fqdn::*.example.com'],
    ['a line end', 'os::00256D-1\n'],
    ['a NUL', 'os::00256D-\0'],
  ])('is refused with %s', (_name, text) => expect(taken(text)).toBe(false))

  it.each([
    ['oui that is empty', 'oui::x'],
    ['oui of 8 digits', 'oui:00256D12:x'],
    ['oui that is not hex', 'oui:00256G:x'],
    ['cid of 7 digits', 'cid:3AA3F81:x'],
    ['cid that is empty', 'cid::x'],
    ['pen that is empty', 'pen::x'],
    ['pen that is not decimal', 'pen:3G:x'],
    ['self of 7 characters', 'self:abcdefg:x'],
    ['user of 7 characters', 'user:abcdefg:x'],
    ['user with a character that is reserved', 'user:a%b:x'],
    ['proto with a dot', 'proto:a.b:x'],
    ['proto of 7 characters', 'proto:abcdefg:x'],
    ['doc of 7 characters', 'doc:abcdefg:x'],
    ['os that is not empty', 'os:00256D:1'],
    ['ops that is not empty', 'ops:00256D:Box-1'],
    ['uuid that is not empty', 'uuid:1:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ['imei that is not empty', 'imei:1:990000862471854'],
    ['fqdn that is not empty', 'fqdn:1:usp.example.com'],
  ])('is refused with an authority of %s', (_name, text) => expect(taken(text)).toBe(false))

  it('may be longer than 50 characters, as percent-encoded serial numbers are, but ends at 256 in all', () => {
    expect(taken(`os::00256D-${'%20'.repeat(40)}`)).toBe(true)
    expect(taken(`os::${'a'.repeat(252)}`)).toBe(true)
    expect(taken(`os::${'a'.repeat(253)}`)).toBe(false)
  })

  it('is kept as it came: compared letter by letter, never decoded', () => {
    expect(parseEndpointId('ops::00256D-Home%20Box-s1')).toBe('ops::00256D-Home%20Box-s1')
    expect(parseEndpointId('os::00256d-s1')).not.toBe(parseEndpointId('os::00256D-S1'))
  })

  it('never fails with anything but a ProtocolError, whatever it is made of', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('os', 'oui', 'self', 'toString', 'valueOf', '00256D', 'x-1'),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        taken(parts.join(':'))
      }),
    )
  })
})
