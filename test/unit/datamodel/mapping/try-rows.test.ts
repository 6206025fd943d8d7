import { describe, expect, it } from 'vitest'
import {
  buildInstanceMap,
  loadModel,
  type MappingRow,
  Mappings,
  RawTree,
  tryRows,
} from '../../../../src/datamodel/index.ts'
import { tr098Router, under } from '../../../support/tr098-router.ts'

describe('rows that are tried on a device', () => {
  const model = loadModel('tr181-cwmp')
  const network = 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.'
  const values = [
    ...tr098Router(),
    ...under('InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.', { X_EXAMPLE_Name: 'upstairs' }),
    ...under('InternetGatewayDevice.DeviceInfo.', { X_EXAMPLE_Load: 'n/a', X_EXAMPLE_On: '0' }),
  ]
  const tried = (row: MappingRow, limit = 9) => {
    const kind = { family: undefined, models: [] }
    const mapping = new Mappings(model).of(kind, { version: '1', rows: [row] })
    const tree = new RawTree(values)
    const map = buildInstanceMap(mapping, tree, {}, undefined)
    return tryRows([row], { mapping, map, family: undefined, tree, time: { at: 0 } }, { model, limit })[0]
  }

  it('name the parameters of the device that they find, and the value of each', () => {
    const row = { from: `${network}X_EXAMPLE_Name`, to: 'Device.WiFi.SSID.{i}.X_EXAMPLE_Label' }
    const source = row.from.replaceAll('{i}', '1')
    const target = 'Device.WiFi.SSID.1.X_EXAMPLE_Label'
    expect(tried(row)).toEqual({
      found: 1,
      failed: 0,
      trials: [{ source, raw: 'upstairs', target, value: 'upstairs' }],
    })
  })

  it('say which parameter has the target instead of theirs', () => {
    const row = { from: `${network}X_EXAMPLE_Name`, to: 'Device.WiFi.SSID.{i}.SSID', rank: 9 }
    const instead = `${network}SSID`.replaceAll('{i}', '1')
    expect(tried(row)?.trials[0]).toMatchObject({ value: 'upstairs', instead })
    expect(tried({ ...row, rank: 0 })?.trials[0]).not.toHaveProperty('instead')
  })

  it('say why a parameter has no value', () => {
    const load = {
      from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load',
      to: 'Device.DeviceInfo.ProcessStatus.CPUUsage',
      transform: 'percent',
    }
    expect(tried(load)).toMatchObject({ found: 1, failed: 1, trials: [{ raw: 'n/a', reason: 'value' }] })
    const on = { param: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_On', in: ['1'] }
    const { transform: _transform, ...plain } = load
    expect(tried(plain)?.trials[0]?.reason).toBe('value')
    expect(tried({ ...plain, to: 'Device.DeviceInfo.X_EXAMPLE_Text', when: on })?.trials[0]?.reason).toBe('condition')
  })

  it('find nothing where the device does not have the source, and list no more than asked for', () => {
    const row = { from: `${network}X_EXAMPLE_Other`, to: 'Device.WiFi.SSID.{i}.X_EXAMPLE_Label' }
    expect(tried(row)).toEqual({ found: 0, failed: 0, trials: [] })
    const many = { from: `${network}SSID`, to: 'Device.WiFi.SSID.{i}.X_EXAMPLE_Label' }
    expect(tried(many, 1)?.trials).toHaveLength(1)
    expect(tried(many, 1)?.found).toBeGreaterThan(1)
  })
})
