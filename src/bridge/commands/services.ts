import { AgentError, type CommandCall, type CommandResult } from '../../usp/index.ts'
import { failureOf } from '../write/router-failure.ts'
import type { WriteStep } from '../write/write-step.ts'
import { clamped, idOf, rowOf } from './arguments.ts'
import { type BridgeCommand, type CommandTools, ownCommand } from './command.ts'

const WIFI_MENUS = ['/interface/wifi', '/interface/wifiwave2', '/interface/wireless'] as const
const REGISTRATIONS = WIFI_MENUS.map((menu) => `${menu}/registration-table` as const)

/** Commands that interrupt a service for a moment. */
export const SERVICES: readonly BridgeCommand[] = [
  {
    object: 'Device.DHCPv4.Client.{i}.',
    name: 'Renew()',
    needs: ['/ip/dhcp-client'],
    level: () => 2,
    async prepare(call, tools) {
      const { match } = await rowOf(call, tools)
      const id = () => idOf('/ip/dhcp-client', match, tools)
      return () => send(async () => tools.rows.words.run('/ip/dhcp-client', 'renew', { '.id': await id() }), tools)
    },
  },
  {
    object: 'Device.PPP.Interface.{i}.',
    name: 'Reset()',
    needs: ['/interface/pppoe-client'],
    level: () => 2,
    prepare: reset,
  },
  { object: 'Device.IP.Interface.{i}.', name: 'Reset()', needs: ['/interface'], level: () => 2, prepare: reset },
  { object: 'Device.WiFi.', name: 'Reset()', needs: WIFI_MENUS, level: () => 2, prepare: resetWifi },
  {
    object: 'Device.WiFi.AccessPoint.{i}.WPS.',
    name: 'InitiateWPSPBC()',
    needs: WIFI_MENUS.filter((menu) => menu !== '/interface/wifiwave2'),
    level: () => 2,
    async prepare(call, tools) {
      const { menu, match } = await rowOf({ ...call, object: call.object.replace(/WPS\.$/, '') }, tools)
      if (menu !== '/interface/wifi' && menu !== '/interface/wireless')
        throw new AgentError(7022, 'this radio has no WPS')
      const id = () => idOf(menu, match, tools)
      return async () => {
        await send(async () => tools.rows.words.run(menu, 'wps-push-button', { '.id': await id() }), tools)
        return { output: { Status: 'Success' } }
      }
    },
  },
  {
    object: 'Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.',
    name: 'X_MIKROTIK_Kick()',
    own: ownCommand('X_MIKROTIK_Kick()', false),
    needs: REGISTRATIONS,
    level: () => 2,
    async prepare(call, tools) {
      const { match, ...found } = await rowOf(call, tools)
      const menu = REGISTRATIONS.find((one) => one === found.menu)
      if (menu === undefined) throw new AgentError(7022, 'this client is no row of a radio')
      return () => send(async () => tools.rows.words.remove(menu, await idOf(menu, match, tools)), tools)
    },
  },
  {
    object: 'Device.Ethernet.Interface.{i}.',
    name: 'X_MIKROTIK_PoECycle()',
    own: ownCommand('X_MIKROTIK_PoECycle()', false, ['Duration']),
    needs: ['/interface/ethernet/poe'],
    level: () => 2,
    async prepare(call, tools) {
      const seconds = clamped(call, 'Duration', { min: 1, max: 60, otherwise: 5 })
      const { called = '' } = await rowOf(call, tools)
      if ((await tools.managementInterfaces()).has(called))
        throw new AgentError(7022, `${called} carries the connection of the bridge`)
      const menu = '/interface/ethernet/poe'
      const id = () => idOf(menu, { properties: { name: called } }, tools)
      const word = async () => tools.rows.words.run(menu, 'power-cycle', { '.id': await id(), duration: `${seconds}s` })
      return () => send(word, tools)
    },
  },
]

/** Sends one command to a row that is found right before. AgentError. */
async function send(
  command: () => Promise<Parameters<CommandTools['router']['command']>[0]>,
  { router }: CommandTools,
): Promise<CommandResult> {
  try {
    await router.command(await command())
    return { output: {} }
  } catch (error) {
    throw failureOf(error, 'operate')
  }
}

/** Switches an interface off and on. It is refused for one that carries the connection of the bridge. */
async function reset(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const { called } = await rowOf(call, tools)
  if (called === undefined) throw new AgentError(7022, 'this interface cannot be reset')
  return () => offAndOn([{ name: called, path: call.object }], tools)
}

/** Switches the radios that are on off and on. */
async function resetWifi(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>> {
  const rows = await Promise.all(WIFI_MENUS.map((menu) => tools.rows.allIfThere(menu, ['name', 'disabled', 'dynamic'])))
  const names = rows
    .flat()
    .flatMap(({ name, disabled, dynamic }) =>
      name === undefined || disabled === 'true' || dynamic === 'true' ? [] : [name],
    )
  return () =>
    offAndOn(
      names.map((name) => ({ name, path: call.object })),
      tools,
    )
}

/** Two writes of one request: after a kill between them the bridge finds them in its journal, and switches on again. */
async function offAndOn(
  interfaces: readonly { name: string; path: string }[],
  { writer, rows }: CommandTools,
): Promise<CommandResult> {
  const step = (name: string, path: string, disabled: string): WriteStep => ({
    kind: 'set',
    menu: '/interface',
    match: { properties: { name } },
    values: { disabled },
    path,
  })
  await writer.write(async () => {
    const known = new Map((await rows.all('/interface', ['name', 'disabled'])).map((row) => [row.name, row.disabled]))
    const off = interfaces.find(({ name }) => known.get(name) !== 'false' && known.get(name) !== 'no')
    if (off !== undefined) throw new AgentError(7022, `${off.name} is switched off`)
    const steps = (['yes', 'no'] as const).flatMap((disabled) =>
      interfaces.map(({ name, path }) => step(name, path, disabled)),
    )
    return { steps, doing: 'operate' }
  })
  return { output: {} }
}
