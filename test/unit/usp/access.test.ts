import { describe, expect, it } from 'vitest'
import { Access } from '../../../src/usp/agent/access/access.ts'
import { Permission, type PermissionRow } from '../../../src/usp/agent/access/permission.ts'
import { deniedReferences, mayBeNotified } from '../../../src/usp/agent/subscriptions.ts'

const NONE = { Param: '----', Obj: '----', InstantiatedObj: '----', CommandEvent: '----' }
const permission = (Targets: string, Order: number, more: Partial<PermissionRow>) =>
  new Permission({ Targets, Order: String(Order), ...NONE, ...more }, Targets.split(','))

describe('the rights of a Controller (TR-369, theory of Roles)', () => {
  it('are those of the highest Order in a role, and the union over roles', () => {
    const a = [
      permission('Device.LocalAgent.', 3, { Param: 'r---' }),
      permission('Device.LocalAgent.Controller.', 55, { Param: 'r-xn' }),
    ]
    const b = [
      permission('Device.LocalAgent.', 20, { Param: 'r---' }),
      permission('Device.LocalAgent.Controller.', 78, { Param: '----' }),
    ]
    const path = 'Device.LocalAgent.Controller.1.Enable'
    const both = new Access([a, b])
    expect((['r', 'w', 'x', 'n'] as const).filter((right) => both.has('Param', right, path))).toEqual(['r', 'x', 'n'])
    expect(new Access([b]).has('Param', 'r', path)).toBe(false)
    expect(new Access([b]).has('Param', 'r', 'Device.LocalAgent.UpTime')).toBe(true)
  })

  it.each([
    ['Device.WiFi.', 'Device.WiFi.SSID.1.SSID', true],
    ['Device.WiFi', 'Device.WiFi.SSID.1.SSID', true],
    ['Device.WiFi.', 'Device.WiFiNot.SSID', false],
    ['Device.WiFi', 'Device.WiFiNot.SSID', false],
    ['Device.WiFi.SSID.1.', 'Device.WiFi.SSID.1.SSID', true],
    ['Device.WiFi.SSID.1.', 'Device.WiFi.SSID.11.SSID', false],
    ['Device.WiFi.SSID.*.SSID', 'Device.WiFi.SSID.7.SSID', true],
    ['Device.WiFi.SSID.*.SSID', 'Device.WiFi.SSID.7.SSIDReference', false],
    ['Device.WiFi.SSID.*.', 'Device.WiFi.SSID.{i}.Enable', true],
    ['Device.WiFi.SSID.1.', 'Device.WiFi.SSID.{i}.Enable', false],
    ['Device.Reboot()', 'Device.Reboot()', true],
    ['Device.Reboot()', 'Device.FactoryReset()', false],
    ['', 'Device.Reboot()', false],
  ])('a target %s, for %s: %s', (target, path, isMeant) => {
    const all = { Param: 'rwxn', Obj: 'rwxn', InstantiatedObj: 'rwxn', CommandEvent: 'rwxn' }
    const access = new Access([target === '' ? [] : [permission(target, 1, all)]])
    expect(access.has('Param', 'r', path)).toBe(isMeant)
  })

  it.each(['rw', 'RWXN', 'nxwr', ' r--'])('a text that is no permission grants nothing of its own: %j', (text) => {
    const access = new Access([[permission('Device.', 1, { Param: text })]])
    const granted = (['r', 'w', 'x', 'n'] as const).filter((right) => access.has('Param', right, 'Device.A'))
    expect(granted).toEqual(text === 'rw' ? ['r', 'w'] : [])
  })

  it('to an element of the supported model are there when some instance has them', () => {
    const one = [
      permission('Device.WiFi.', 1, { Param: '----' }),
      permission('Device.WiFi.SSID.2.', 2, { Param: 'r---' }),
      permission('Device.WiFi.Radio.*.', 3, { Param: '----' }),
      permission('Device.WiFi.Radio.1.', 1, { Param: 'r---' }),
    ]
    const access = new Access([one])
    expect(access.hasForSome('Param', 'r', 'Device.WiFi.SSID.{i}.SSID')).toBe(true)
    expect(access.has('Param', 'r', 'Device.WiFi.SSID.{i}.SSID')).toBe(false)
    // The permission of higher order covers every instance.
    expect(access.hasForSome('Param', 'r', 'Device.WiFi.Radio.{i}.Channel')).toBe(false)
  })

  it('of notifications are those of the column of each NotifType', () => {
    const of = (column: string) => new Access([[permission('Device.', 1, { [column]: '---n' })]])
    const types = ['ValueChange', 'ObjectCreation', 'ObjectDeletion', 'OperationComplete', 'Event']
    const granted = (column: string) => types.filter((type) => mayBeNotified(of(column), type, 'Device.WiFi.'))
    expect(granted('Param')).toEqual(['ValueChange'])
    expect(granted('Obj')).toEqual(['ObjectCreation'])
    expect(granted('InstantiatedObj')).toEqual(['ObjectDeletion'])
    expect(granted('CommandEvent')).toEqual(['OperationComplete', 'Event'])
    expect(mayBeNotified(of('Param'), 'Other', 'Device.WiFi.')).toBe(false)
  })

  it.each([
    ['ValueChange', 'Device.WiFi.SSID.1.SSID', []],
    ['ValueChange', 'Device.WiFi.SSID.*.SSID', []],
    ['ValueChange', 'Device.WiFi.SSID.[Enable==true].SSID', []],
    ['ValueChange', 'Device.', []],
    ['ValueChange', 'Device.Time.,Device.WiFi.', []],
    ['ValueChange', 'Device.Time.', ['ReferenceList']],
    ['Event', 'Device.Boot!', ['ReferenceList']],
    ['', 'Device.Boot!', []],
  ])('refuse a %s subscription to %s: %j', (NotifType, ReferenceList, denied) => {
    const access = new Access([[permission('Device.WiFi.', 1, { Param: 'r--n' })]])
    expect(deniedReferences(access, 'Device.LocalAgent.Subscription.', { NotifType, ReferenceList })).toEqual(denied)
  })
})
