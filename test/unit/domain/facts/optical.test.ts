import { describe, expect, it } from 'vitest'
import { RecordOnly } from '../../../support/live-facts.ts'

const LEVEL = 'Device.Optical.Interface.1.OpticalSignalLevel'
const SENT = 'Device.Optical.Interface.1.TransmitOpticalLevel'
const TRANSCEIVER = 'Device.XPON.ONU.1.ANI.1.Transceiver.1.'
const optical = (values: Record<string, string>) => new RecordOnly().report(values).optical

describe('the optical line', () => {
  it('shows levels in dBm, with the parameters that they were read from', () => {
    expect(optical({ [LEVEL]: '-19870', [SENT]: '2310', [`${TRANSCEIVER}Temperature`]: '47' })).toEqual({
      rxPowerDbm: -19.87,
      txPowerDbm: 2.31,
      health: 'good',
      temperatureC: 47,
      sources: { rxPowerDbm: LEVEL, txPowerDbm: SENT, temperatureC: `${TRANSCEIVER}Temperature` },
    })
    expect(optical({ [`${TRANSCEIVER}RxPower`]: '-265', [`${TRANSCEIVER}TxPower`]: '25' })).toMatchObject({
      rxPowerDbm: -26.5,
      txPowerDbm: 2.5,
      health: 'warning',
    })
  })

  it.each([
    ['-7500', -7.5, 'overload'],
    ['-8000', -8, 'good'],
    ['-25000', -25, 'good'],
    ['-25010', -25.01, 'warning'],
    ['-27000', -27, 'warning'],
    ['-28400', -28.4, 'critical'],
    ['-30000', -30, 'noLight'],
    ['-40000', undefined, 'noLight'],
    ['-18.5', -18.5, 'good'],
    ['-23 dBm', -23, 'good'],
    ['-185', -18.5, 'good'],
  ])('of %s is %s dBm and %s', (raw, rxPowerDbm, health) => {
    const { sources: _sources, ...facts } = optical({ [LEVEL]: raw }) ?? {}
    expect(facts).toEqual(rxPowerDbm === undefined ? { health } : { rxPowerDbm, health })
  })

  it.each(['', '0', 'N/A', '99999', '-99999'])('has no level by %j', (raw) => {
    expect(optical({ [LEVEL]: raw, [SENT]: '0', [`${TRANSCEIVER}Temperature`]: '-274' })).not.toMatchObject({
      rxPowerDbm: expect.anything(),
    })
    expect(Object.keys(optical({ [LEVEL]: raw }) ?? {})).toEqual(['sources'])
  })

  it('is read at the first place with a plausible reading, not at a port of the LAN', () => {
    const values = {
      [LEVEL]: '0',
      'Device.Optical.Interface.2.Upstream': 'false',
      'Device.Optical.Interface.2.OpticalSignalLevel': '-9000',
      [`${TRANSCEIVER}RxPower`]: '-212',
    }
    expect(optical(values)).toMatchObject({ rxPowerDbm: -21.2, sources: { rxPowerDbm: `${TRANSCEIVER}RxPower` } })
  })

  it('follows the report of its source, and loses a level that is no reading any more', () => {
    const record = new RecordOnly()
    record.report({ [LEVEL]: '-19870' })
    const { reads } = record
    expect(record.report({ [LEVEL]: '-28000' }).optical).toMatchObject({ rxPowerDbm: -28, health: 'critical' })
    expect(record.reads).toBe(reads)
    expect(record.report({ [LEVEL]: '0' }).optical).toEqual({ sources: { rxPowerDbm: LEVEL } })
    // Nothing looks for another place with each report of a device that has none.
    const after = record.reads
    record.report({ [LEVEL]: '0' })
    expect(record.reads).toBe(after)
    expect(record.report({ [`${TRANSCEIVER}RxPower`]: '-212' }).optical?.rxPowerDbm).toBe(-21.2)
    expect(record.change({ dropSubtrees: ['Device.XPON.'] }).optical).not.toHaveProperty('rxPowerDbm')
  })
})
