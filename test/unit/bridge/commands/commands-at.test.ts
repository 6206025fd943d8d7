import { expect, it } from 'vitest'
import { commandsAt } from '../../../../src/bridge/commands/router-commands.ts'
import { loadModel } from '../../../../src/datamodel/index.ts'

const at = (schema: string, ...menus: string[]) =>
  commandsAt(schema, loadModel('tr181-usp').objects.get(schema)?.commands ?? new Map(), new Set(menus))

it('an object has the commands for which the router has a menu', () => {
  expect(at('Device.', '/system/resource').map(({ name }) => name)).toEqual(['Reboot()', 'FactoryReset()'])
  expect(at('Device.DHCPv4.Client.{i}.')).toEqual([])
  expect(at('Device.DHCPv4.Client.{i}.', '/ip/dhcp-client')).toMatchObject([{ name: 'Renew()', async: false }])
})

it('commands of the bridge itself are defined, and those that destroy take a confirmation', () => {
  const [cycle] = at('Device.Ethernet.Interface.{i}.', '/interface/ethernet/poe')
  expect(cycle?.input.map(({ name }) => name)).toEqual(['Duration'])
  const inputs = at('Device.', '/system/resource').map(({ input }) => input.map(({ name }) => name))
  expect(inputs).toEqual([
    ['Cause', 'Reason'],
    ['Cause', 'Reason', 'X_MIKROTIK_Confirm'],
  ])
})
