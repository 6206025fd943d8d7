import { describe, expect, it } from 'vitest'
import { certificateNameOf, readCertificateName } from '../../../src/cwmp/acs/login/certificate-name.ts'

describe('the common name of a certificate', () => {
  it.each([
    // Encoded: one reading, whatever the parts hold.
    ['00256D-Box-1', 'Box', '1', 'names'],
    ['00256d-Box-1', 'Box', '1', 'names'],
    ['00256D-1', 'Box', '1', 'names'],
    ['00256D-HGW-12%2D34', 'HGW', '12-34', 'names'],
    ['00256D-HGW-12%2d34', 'HGW', '12-34', 'names'],
    ['00256D-HGW%2D12-34', 'HGW-12', '34', 'names'],
    ['00256D-12%2D34', 'HGW', '12-34', 'names'],
    ['00256D--34', '', '34', 'names'],
    // Not encoded, and still one reading.
    ['00256D-Box v2.1-S/N 7', 'Box v2.1', 'S/N 7', 'names'],
    // Two readings: it is the identity of neither.
    ['00256D-HGW-12-34', 'HGW', '12-34', 'ambiguous'],
    ['00256D-HGW-12-34', 'HGW-12', '34', 'ambiguous'],
    ['00256D--12-34', '', '12-34', 'ambiguous'],
    ['00256D-HGW-12%2D34', 'HGW', '12%2D34', 'ambiguous'],
    // Another device.
    ['00256D-HGW-12%2D34', 'HGW-12', '34', 'other'],
    ['00256D-Box-1', 'Box', '2', 'other'],
    ['00256D-Box-1', 'Box-1', '', 'other'],
    ['00256E-Box-1', 'Box', '1', 'other'],
    ['', 'Box', '1', 'other'],
  ] as const)('%s read as class "%s" with serial "%s": %s', (name, productClass, serial, reading) => {
    expect(readCertificateName(name, { oui: '00256D', productClass, serial })).toBe(reading)
  })

  it('that is proposed in place of an ambiguous one names the device and no other', () => {
    const identity = { oui: '00256d', productClass: 'HGW', serial: '12-34' }
    const name = certificateNameOf(identity)
    expect(name).toBe('00256D-HGW-12%2D34')
    expect(readCertificateName(name, identity)).toBe('names')
    expect(readCertificateName(name, { ...identity, productClass: 'HGW-12', serial: '34' })).toBe('other')
  })
})
