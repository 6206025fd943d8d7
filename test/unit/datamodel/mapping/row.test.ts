import { expect, it } from 'vitest'
import {
  AGGREGATIONS,
  type Aggregation,
  type Condition,
  type MappingRow,
} from '../../../../src/datamodel/mapping/row.ts'
import { TRANSFORMS } from '../../../../src/datamodel/mapping/transforms/index.ts'

it('takes a row of a vendor with a condition, an operator and a transform that exists', () => {
  const when: Condition = {
    param: 'InternetGatewayDevice.WANDevice.{i}.WANCommonInterfaceConfig.WANAccessType',
    in: ['GPON'],
  }
  const agg: Aggregation = 'first'
  const row: MappingRow = {
    from: 'InternetGatewayDevice.WANDevice.{i}.X_GponInterafceConfig.RXPower',
    to: 'Device.Optical.Interface.{i}.OpticalSignalLevel',
    transform: 'opticalRx',
    family: 'huawei',
    when,
    agg,
  }
  expect(AGGREGATIONS).toContain(row.agg)
  expect(TRANSFORMS.has(row.transform ?? '')).toBe(true)
})
