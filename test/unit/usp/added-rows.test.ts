import { describe, expect, it } from 'vitest'
import type { RowToAdd } from '../../../src/domain/index.ts'
import { pairAdded } from '../../../src/usp/controller/added-rows.ts'
import type { AddResp } from '../../../src/usp/wire/index.ts'

type Created = AddResp['created_obj_results'][number]

const SSIDS = 'Device.WiFi.SSID.'
const INTERFACES = 'Device.IP.Interface.'
const SEARCH = 'Device.IP.Interface.*.IPv4Address.'
const row = (object: string, values: Record<string, string> = {}): RowToAdd => ({ object, values })
const made = (
  requested_path: string,
  instantiated_path: string,
  unique_keys: Record<string, string> = {},
): Created => ({
  requested_path,
  oper_status: { oper_success: { instantiated_path, param_errs: [], unique_keys } },
})
const refusal = (requested_path: string): Created => ({
  requested_path,
  oper_status: { oper_failure: { err_code: 7017, err_msg: 'no' } },
})

/** New rows, or `refused`, with the values of the requested row that each one belongs to. */
function pairs(rows: RowToAdd[], created: Created[]): [string, Record<string, string> | undefined][] {
  return pairAdded(rows, created).results.map(({ result, row: its }) => [
    result.oper_status.oper_success?.instantiated_path ?? 'refused',
    its?.values,
  ])
}

describe('the results of an Add', () => {
  it('belong to rows by their requested path, in whatever order they come', () => {
    const rows = [row(SSIDS, { SSID: 'a' }), row(INTERFACES, { Alias: 'b' })]
    expect(pairs(rows, [made(INTERFACES, `${INTERFACES}1.`), made(SSIDS, `${SSIDS}3.`)])).toEqual([
      [`${SSIDS}3.`, { SSID: 'a' }],
      [`${INTERFACES}1.`, { Alias: 'b' }],
    ])
  })

  it('are several of one search path, and those of later rows do not shift', () => {
    const rows = [row(SEARCH, { IPAddress: '::' }), row(SSIDS, { SSID: 'a' })]
    const found = [1, 2].map((n) => made(SEARCH, `${INTERFACES}${n}.IPv4Address.5.`))
    expect(pairs(rows, [...found, made(SSIDS, `${SSIDS}3.`)])).toEqual([
      [`${INTERFACES}1.IPv4Address.5.`, { IPAddress: '::' }],
      [`${INTERFACES}2.IPv4Address.5.`, { IPAddress: '::' }],
      [`${SSIDS}3.`, { SSID: 'a' }],
    ])
  })

  it('of a search path that is asked for twice belong to the rows in the order of each table', () => {
    const rows = [row(SEARCH, { Alias: 'a' }), row(SEARCH, { Alias: 'b' })]
    const at = (n: number, instance: number) => made(SEARCH, `${INTERFACES}${n}.IPv4Address.${instance}.`)
    expect(pairs(rows, [at(1, 5), at(2, 5), at(1, 6), at(2, 6)])).toEqual([
      [`${INTERFACES}1.IPv4Address.5.`, { Alias: 'a' }],
      [`${INTERFACES}2.IPv4Address.5.`, { Alias: 'a' }],
      [`${INTERFACES}1.IPv4Address.6.`, { Alias: 'b' }],
      [`${INTERFACES}2.IPv4Address.6.`, { Alias: 'b' }],
    ])
    expect(pairs(rows, [at(1, 5), refusal(SEARCH)])).toEqual([
      [`${INTERFACES}1.IPv4Address.5.`, undefined],
      ['refused', undefined],
    ])
  })

  it('of rows in one table are told apart by their keys, otherwise by their order', () => {
    const rows = [row(SSIDS, { Alias: 'a' }), row(SSIDS, { Alias: 'b' }), row(SSIDS, {})]
    const swapped = [made(SSIDS, '7.'), made(SSIDS, '8.', { Alias: 'b' }), made(SSIDS, '9.', { Alias: 'a' })]
    expect(pairs(rows, swapped)).toEqual([
      ['9.', { Alias: 'a' }],
      ['8.', { Alias: 'b' }],
      ['7.', {}],
    ])
    expect(pairs(rows, [refusal(SSIDS), made(SSIDS, '8.'), made(SSIDS, '9.')])).toEqual([
      ['refused', { Alias: 'a' }],
      ['8.', { Alias: 'b' }],
      ['9.', {}],
    ])
  })

  it('that are too few for a table belong to the rows that their keys name', () => {
    const rows = [row(SSIDS, { Alias: 'a' }), row(SSIDS, { Alias: 'b' })]
    expect(pairs(rows, [made(SSIDS, '8.', { Alias: 'b' })])).toEqual([['8.', { Alias: 'b' }]])
    expect(pairs(rows, [made(SSIDS, '8.')])).toEqual([['8.', undefined]])
    expect(pairAdded(rows, [made(SSIDS, '8.')]).silent).toHaveLength(1)
    expect(pairAdded(rows, []).silent).toEqual(rows)
  })

  it('may leave out the last dot, or name the path in another form', () => {
    const rows = [row(SSIDS, { SSID: 'a' }), row(INTERFACES, { Alias: 'b' })]
    const created = [made('Device.IP.Interface', 'Device.IP.Interface.1'), made('', `${SSIDS}3.`)]
    expect(pairs(rows, created)).toEqual([
      [`${SSIDS}3.`, { SSID: 'a' }],
      ['Device.IP.Interface.1', { Alias: 'b' }],
    ])
    expect(pairs(rows, [refusal('Device.WiFi.SSID.{i}.'), made(INTERFACES, `${INTERFACES}1.`)])).toEqual([
      ['refused', { SSID: 'a' }],
      [`${INTERFACES}1.`, { Alias: 'b' }],
    ])
  })
})
