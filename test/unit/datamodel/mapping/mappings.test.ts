import { describe, expect, it } from 'vitest'
import { loadModel, type MappingRow, Mappings, RawTree } from '../../../../src/datamodel/index.ts'
import { mappedDevice } from '../../../support/mapping.ts'
import { tr098Router, under } from '../../../support/tr098-router.ts'

describe('mappings', () => {
  const mappings = new Mappings(loadModel('tr181-cwmp'))
  const plain = { family: undefined, models: ['R-2000'] }

  it('are shared by devices with the same rows, and made anew for other ones', () => {
    expect(mappings.of({ family: undefined, models: ['R-9'] })).toBe(mappings.of(plain))
    expect(mappings.of({ family: 'huawei', models: [] })).not.toBe(mappings.of(plain))
    const added = { version: '1', rows: [] }
    expect(mappings.of(plain, added)).toBe(mappings.of(plain, added))
    expect(mappings.of(plain, { version: '2', rows: [] })).not.toBe(mappings.of(plain, added))
    for (let n = 0; n < 100; n++) mappings.of(plain, { version: String(n), rows: [] })
    expect(mappings.of(plain).targets.size).toBeGreaterThan(1_500)
  })

  it('have the rows that operators add, which replace those of the same source and target', () => {
    const network = 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.'
    const rows: MappingRow[] = [
      { from: `${network}X_EXAMPLE_Label`, to: 'Device.WiFi.SSID.{i}.X_EXAMPLE_Label' },
      { from: `${network}SSID`, to: 'Device.WiFi.SSID.{i}.SSID', when: { param: `${network}Enable`, in: ['true'] } },
    ]
    const values = [
      ...tr098Router(),
      ...under('InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.', { X_EXAMPLE_Label: 'upstairs' }),
    ]
    const { device, tree } = mappedDevice(values, mappings.of(plain, { version: 'a', rows }))
    const read = (path: string) => device.evaluate(path, tree, { at: 0 })?.value
    expect(read('Device.WiFi.SSID.1.X_EXAMPLE_Label')).toBe('upstairs')
    expect([1, 2].map((n) => read(`Device.WiFi.SSID.${n}.SSID`))).toEqual(['Home', undefined])
  })

  it('put an added row before all others of its target, and one with a rank where that says', () => {
    const cpu = 'Device.DeviceInfo.ProcessStatus.CPUUsage'
    const from = 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load'
    const own = 'InternetGatewayDevice.X_ALU-COM_CPUMEMMonitor.cpu'
    const sourcesOf = (rows: MappingRow[]) =>
      mappings
        .of({ family: 'nokia', models: [] }, { version: JSON.stringify(rows), rows })
        .targets.get(cpu)
        ?.rows.map(({ row }) => row.from)
    expect(sourcesOf([{ from, to: cpu }])?.[0]).toBe(from)
    expect(sourcesOf([{ from, to: cpu, rank: 9 }])?.at(-1)).toBe(from)
    const again = sourcesOf([{ from: own, to: cpu, rank: 9 }])
    expect(again?.filter((source) => source === own)).toEqual([own])
    expect(again?.at(-1)).toBe(own)
  })

  it('leave out added rows of other families and models', () => {
    const from = 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Name'
    const to = 'Device.DeviceInfo.X_EXAMPLE_Name'
    const has = (row: Partial<MappingRow>, models = ['R-2000']) =>
      mappings
        .of({ family: 'zte', models }, { version: JSON.stringify(row), rows: [{ from, to, ...row }] })
        .targets.has(to)
    expect(has({})).toBe(true)
    expect([has({ family: 'zte' }), has({ family: 'huawei' })]).toEqual([true, false])
    const models = ['r-2000']
    expect([has({ models }), has({ models }, ['R-9']), has({ models })]).toEqual([true, false, true])
  })
})

describe('a tree of a device', () => {
  it('takes new values, and objects without values', () => {
    const table = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
    const tree = new RawTree([{ path: `${table}10.SSID`, value: 'a' }])
    expect(tree.children(table)).toEqual(['10'])
    tree.put(`${table}2.`, '')
    tree.put(`${table}10.SSID`, 'b')
    tree.put(`${table}9.SSID`, 'c')
    expect(tree.children(table)).toEqual(['2', '9', '10'])
    expect([...tree.values]).toEqual([
      [`${table}10.SSID`, 'b'],
      [`${table}9.SSID`, 'c'],
    ])
    expect(tree.children('InternetGatewayDevice.LANDevice.')).toEqual(['1'])
  })
})
