import { describe, expect, it } from 'vitest'
import { readBy, transformOf } from '../../../../support/transform-context.ts'

const WAN = 'InternetGatewayDevice.WANDevice.1.'

/** Reading of a device, and the level in 0.001 and in 0.1 dBm. */
type Level = [raw: string, thousandths: string | undefined, tenths: string | undefined]

const RX: Level[] = [
  // Text and numbers in dBm (Huawei, FiberHome, Nokia, Realtek).
  ['-24', '-24000', '-240'],
  ['-21', '-21000', '-210'],
  ['-23.10', '-23100', '-231'],
  ['-25.08', '-25080', '-251'],
  ['-19.746941', '-19746', '-197'],
  [' -19.7 ', '-19700', '-197'],
  ['-21,87', '-21870', '-219'],
  // With its unit (CDATA, Tenda), and as web pages have it.
  ['-16.655462 dBm', '-16656', '-167'],
  ['-18dBm', '-18000', '-180'],
  ['-\\x2d18', '-18000', '-180'],
  ['\\x2d18.5', '-18500', '-185'],
  // 0.1, 0.01 and 0.001 dBm.
  ['-230', '-23000', '-230'],
  ['-2280', '-22800', '-228'],
  ['-18500', '-18500', '-185'],
  // 0.1 uW.
  ['133', '-18762', '-188'],
  ['58', '-22366', '-224'],
  ['33', '-24814', '-248'],
  ['703', '-11530', '-115'],
  ['1141', '-9428', '-94'],
  ['17', '-27696', '-277'],
  // No light, noise of the sensor, no reading.
  ['0', undefined, undefined],
  ['0.00', undefined, undefined],
  ['4', undefined, undefined],
  ['9', undefined, undefined],
  ['-40', undefined, undefined],
  ['-60', undefined, undefined],
  ['-4000', undefined, undefined],
  ['-40000', undefined, undefined],
  ['-999999', undefined, undefined],
  ['65535000', undefined, undefined],
  ['', undefined, undefined],
  ['N/A', undefined, undefined],
  ['--', undefined, undefined],
  ['-inf', undefined, undefined],
  ['-18 to -20', undefined, undefined],
]

const TX: Level[] = [
  ['2', '2000', '20'],
  ['2.35', '2350', '24'],
  ['2.35 dBm', '2350', '24'],
  ['-1.2', '-1200', '-12'],
  // 0.1 and 0.01 dBm.
  ['23', '2300', '23'],
  ['235', '2350', '24'],
  // 0.1 uW.
  ['19078', '2806', '28'],
  ['17000', '2304', '23'],
  ['0', undefined, undefined],
  ['-40', undefined, undefined],
  ['-2147483648', undefined, undefined],
  ['', undefined, undefined],
  ['off', undefined, undefined],
]

describe('optical levels', () => {
  it.each(RX)('reads received %j as %j and %j', (raw, thousandths, tenths) => {
    expect(readBy('opticalRx', raw)).toBe(thousandths)
    expect(readBy('opticalRxTenths', raw)).toBe(tenths)
  })

  it.each([
    ['133', -18.76],
    ['58', -22.37],
    ['33', -24.81],
    ['-2280', -22.8],
  ])('reads received %s as %d dBm', (raw, dbm) => {
    expect(Number(readBy('opticalRx', raw)) / 1000).toBeCloseTo(dbm, 2)
  })

  it.each(TX)('reads sent %j as %j and %j', (raw, thousandths, tenths) => {
    expect(readBy('opticalTx', raw)).toBe(thousandths)
    expect(readBy('opticalTxTenths', raw)).toBe(tenths)
  })

  it('reads sent 19078 as 2.81 dBm', () => {
    expect(Number(readBy('opticalTx', '19078')) / 1000).toBeCloseTo(2.81, 2)
  })

  it('keeps to the steps of Optical.Interface', () => {
    for (let raw = 10; raw < 2000; raw++) expect(Math.abs(Number(readBy('opticalRx', String(raw))) % 2)).toBe(0)
  })

  it.each([
    ['opticalRxNegated', '185', '-18500'],
    ['opticalRxNegatedTenths', '185', '-185'],
    ['opticalRxNegated', '0', undefined],
    ['opticalRxNegated', '900', undefined],
    ['opticalMilliDbm', '-18500', '-18500'],
    ['opticalMilliDbm', '-5000', '-5000'],
    ['opticalMilliDbm', '2100', '2100'],
    ['opticalMilliDbmTenths', '-18550', '-185'],
    ['opticalMilliDbm', '-65536', undefined],
    ['opticalMilliDbm', '0', undefined],
  ])('%s reads %s as %j', (name, raw, value) => {
    expect(readBy(name, raw)).toBe(value)
  })
})

describe('transceivers', () => {
  it.each([
    ['47', '47'],
    ['35.31', '35'],
    ['43.68', '44'],
    ['-5', '-5'],
    // 1/256 degree.
    ['11509', '45'],
    ['11876', '46'],
    ['10866', '42'],
    ['7516', '29'],
    ['12518', '49'],
    ['17220', '67'],
    ['-2560', '-10'],
    // No reading.
    ['-274', undefined],
    ['0', undefined],
    ['180', undefined],
    ['65535', undefined],
    ['', undefined],
    ['N/A', undefined],
  ])('reads a temperature of %j as %j', (raw, value) => {
    expect(readBy('opticalTemperature', raw)).toBe(value)
    expect(readBy('opticalTemperature256', raw)).toBe(value)
  })

  it.each([
    // The objects of ZTE and Nokia and the firmware of Realtek count 0.01 degrees, firmware of operators on ZTE devices 1/256.
    ['4880', 'zte', `${WAN}X_ZTE-COM_WANPONInterfaceConfig.Temperature`, '49'],
    ['35.31', 'zte', `${WAN}X_ZTE-COM_WANPONInterfaceConfig.Temperature`, '35'],
    ['11509', 'zte', `${WAN}X_ZTE-COM_WANPONInterfaceConfig.Temperature`, '45'],
    ['4880', 'realtek', `${WAN}X_CT-COM_GponInterfaceConfig.TransceiverTemperature`, '49'],
    ['11509', 'zte', `${WAN}X_CT-COM_EponInterfaceConfig.TransceiverTemperature`, '45'],
    ['4500', 'nokia', 'InternetGatewayDevice.X_ALU_OntOpticalParam.TransceiverTemperature', '45'],
    ['11509', 'nokia', 'InternetGatewayDevice.X_ALU_OntOpticalParam.TransceiverTemperature', '45'],
    ['7516', 'nokia', `${WAN}X_CMCC_GponInterfaceConfig.TransceiverTemperature`, '29'],
    ['7516', 'cmcc', `${WAN}X_CMCC_GponInterfaceConfig.TransceiverTemperature`, '29'],
  ])('reads a temperature of %s of %s at %s as %s', (raw, family, from, value) => {
    expect(readBy('opticalTemperature', raw, { family, from })).toBe(value)
  })

  it('reads hundredths of a degree by name', () => {
    expect(readBy('opticalTemperature100', '4880')).toBe('49')
  })

  it.each([
    ['3338', '3338'],
    ['3298', '3298'],
    ['3.291', '3291'],
    ['3.289000', '3289'],
    ['3.27 V', '3270'],
    ['33280', '3328'],
    ['50', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['1000000', undefined],
    ['', undefined],
  ])('reads a voltage of %j as %j mV', (raw, value) => {
    expect(readBy('opticalVoltage', raw)).toBe(value)
  })

  it.each([
    ['9', undefined, '9000'],
    ['13.70', 'zte', '13700'],
    ['5975', 'zte', '11950'],
    ['5975', 'ct-com', '11950'],
    ['9000.000000', 'nokia', '9000'],
    ['0', undefined, undefined],
    ['-3', undefined, undefined],
    ['4294967295', undefined, undefined],
    ['', undefined, undefined],
  ])('reads a bias of %j of %s as %j uA', (raw, family, value) => {
    expect(readBy('opticalBias', raw, { family })).toBe(value)
  })

  it('takes the unit of a bias from the object of Nokia, too', () => {
    const from = 'InternetGatewayDevice.X_ALU_OntOpticalParam.BiasCurrent'
    expect(readBy('opticalBias', '9000.000000', { from, family: 'ct-com' })).toBe('9000')
    expect(readBy('opticalBiasUA', '9000')).toBe('9000')
    expect(readBy('opticalBias2uA', '5975')).toBe('11950')
  })
})

describe('PON', () => {
  it.each([
    ['GPON', 'G-PON'],
    ['gpon', 'G-PON'],
    ['G-PON', 'G-PON'],
    ['X_VENDOR_GPON', 'G-PON'],
    ['X_GPON_UPLINK', 'G-PON'],
    ['X_FOX_G-PON', 'G-PON'],
    ['XGPON', 'XG-PON'],
    ['XG-PON', 'XG-PON'],
    ['X_VENDOR_XGPON', 'XG-PON'],
    ['10G-GPON', 'XG-PON'],
    ['X_XGSPON', 'XGS-PON'],
    ['NGPON2', 'NG-PON2'],
    ['10G-EPON', undefined],
    ['GEPON', undefined],
    ['X_VENDOR_EPON', undefined],
    ['XGS-PON', 'XGS-PON'],
    ['NG-PON2', 'NG-PON2'],
    ['EPON', undefined],
    ['Ethernet', undefined],
    ['PON', undefined],
    ['DSL', undefined],
    ['', undefined],
  ])('reads the mode %j as %j', (raw, value) => {
    expect(readBy('ponMode', raw)).toBe(value)
  })

  it.each([
    ['Up', 'Up'],
    ['UP', 'Up'],
    ['O5', 'Up'],
    ['Down', 'Down'],
    ['NoLink', 'Down'],
    ['O1', 'Down'],
    ['O7', 'Down'],
    ['Error', 'Error'],
    ['Initializing', 'Dormant'],
    ['Ranging', 'Unknown'],
    ['', undefined],
  ])('reads the status %j as %j', (raw, value) => {
    expect(readBy('ponStatus', raw)).toBe(value)
  })

  it.each([
    ['O5', 'O5'],
    ['5', 'O5'],
    ['O5(Operation)', 'O5'],
    ['o1', 'O1'],
    ['0', undefined],
    ['55', undefined],
    ['up', undefined],
  ])('reads the state %j as %j', (raw, value) => {
    expect(readBy('onuState', raw)).toBe(value)
  })

  it.each([
    ['48575443ABCDEF01', 'HWTCABCDEF01', 'HWTC'],
    ['4E42454c12345678', 'NBEL12345678', 'NBEL'],
    ['HWTCABCDEF01', 'HWTCABCDEF01', 'HWTC'],
    ['ZTEGC1234567', 'ZTEGC1234567', 'ZTEG'],
    ['HWTC-ABCDEF01', 'HWTCABCDEF01', 'HWTC'],
    ['1234500AABBCCDD', undefined, undefined],
    ['0000000000000000', undefined, undefined],
    ['416', undefined, undefined],
    ['', undefined, undefined],
  ])('reads the serial number %j as %j of %j', (raw, serial, vendor) => {
    expect(readBy('gponSerial', raw)).toBe(serial)
    expect(readBy('gponVendor', raw)).toBe(vendor)
  })

  it('writes nothing of what a device measures', () => {
    for (const name of ['opticalRx', 'opticalTx', 'opticalTemperature', 'opticalVoltage', 'opticalBias', 'ponMode'])
      expect(transformOf(name).write).toBeUndefined()
  })
})
