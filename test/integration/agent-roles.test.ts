import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MANAGER, type UspAgent, WIFI_WATCHER } from '../../src/usp/index.ts'
import type { Msg } from '../../src/usp/wire/index.ts'
import {
  addController,
  agentOver,
  BOOT,
  gatewayModel,
  SUBSCRIPTIONS,
  settingsOf,
  subscribe,
} from '../support/agent-world.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import type { MemoryAgentModel } from '../support/memory-agent-model.ts'
import { memoryStore } from '../support/memory-notify-store.ts'
import { ScriptedController } from '../support/scripted-controller.ts'
import { until } from '../support/until.ts'

/** The machine may be busy. */
const SSID = 'Device.WiFi.SSID.1.'

let model: MemoryAgentModel
let agent: UspAgent
let clock: ManualClock
let manager: ScriptedController
let watcher: ScriptedController
let managerRow: string
let watcherRow: string
beforeEach(async () => {
  manager = await ScriptedController.start('proto::manager')
  watcher = await ScriptedController.start('proto::watcher')
  model = await gatewayModel()
  clock = createManualClock()
  managerRow = await addController(model, manager, {}, '')
  watcherRow = await addController(model, watcher, {}, '')
  const roleOf = (endpointId: string) => (endpointId === 'proto::manager' ? MANAGER.name : WIFI_WATCHER.name)
  agent = agentOver(model, clock, { access: { roleOf } })
  agent.start(BOOT)
  await Promise.all([manager.connected(1), watcher.connected(1)])
})
afterEach(async () => {
  agent.stop(false)
  await manager.stop()
  await watcher.stop()
})

const set = (controller: ScriptedController, obj_path: string, values: Record<string, string>) =>
  controller.ask('set', { allow_partial: false, update_objs: [{ obj_path, param_settings: settingsOf(values) }] })
const get = async (controller: ScriptedController, ...param_paths: string[]) => {
  const reply = await controller.ask('get', { param_paths, max_depth: 0 })
  return reply.kind === 'response' && reply.name === 'get_resp' ? reply.body.req_path_results : []
}
const denied = (reply: Msg) => reply.kind === 'error' && reply.body.err_code === 7006
const value = async (path: string) => (await model.get([path])).get(path)

describe('two Controllers of one Agent, one manages and the other may only watch Wi-Fi', () => {
  it('both read Wi-Fi, and the manager alone the rest', async () => {
    for (const controller of [manager, watcher])
      expect(await get(controller, `${SSID}SSID`)).toMatchObject([
        { err_code: 0, resolved_path_results: [{ result_params: { SSID: 'H1-5G' } }] },
      ])
    expect(await get(manager, 'Device.DeviceInfo.SerialNumber')).toMatchObject([{ err_code: 0 }])
    expect(await get(watcher, 'Device.DeviceInfo.SerialNumber', 'Device.Time.')).toMatchObject([
      { err_code: 7026 },
      { err_code: 7026 },
    ])
    const paths = (await get(watcher, 'Device.'))[0]?.resolved_path_results.map(({ resolved_path }) => resolved_path)
    expect(paths?.length).toBeGreaterThan(3)
    expect(paths?.filter((path) => !path.startsWith('Device.WiFi.'))).toEqual([])
  })

  it('the watcher changes nothing and runs nothing, whatever it asks', async () => {
    expect(denied(await set(watcher, SSID, { SSID: 'mine' }))).toBe(true)
    expect(denied(await set(watcher, watcherRow, { AssignedRole: 'Device.LocalAgent.ControllerTrust.Role.1' }))).toBe(
      true,
    )
    const mapping = { obj_path: 'Device.NAT.PortMapping.', param_settings: [] }
    expect(denied(await watcher.ask('add', { allow_partial: false, create_objs: [mapping] }))).toBe(true)
    expect(denied(await watcher.ask('delete', { allow_partial: false, obj_paths: [managerRow] }))).toBe(true)
    const reboot = { command: 'Device.Reboot()', command_key: '', send_resp: true, input_args: {} }
    expect(await watcher.ask('operate', reboot)).toMatchObject({
      kind: 'response',
      body: { operation_results: [{ cmd_failure: { err_code: 7006 } }] },
    })
    expect(await value(`${SSID}SSID`)).toBe('H1-5G')
    expect(await model.instances('Device.NAT.PortMapping.')).toEqual([])
    expect((await manager.ask('get_supported_protocol', { controller_supported_protocol_versions: '1.4' })).kind).toBe(
      'response',
    )
  })

  it('each is notified of what it may be, and of its own subscriptions alone', async () => {
    await subscribe(manager, 'all', 'ValueChange', 'Device.')
    await subscribe(watcher, 'all', 'ValueChange', 'Device.')
    expect(denied(await subscribe(watcher, 'time', 'ValueChange', 'Device.Time.'))).toBe(true)
    await set(manager, SSID, { SSID: 'new' })
    await set(manager, 'Device.Time.', { Enable: 'false' })
    await manager.notified(({ value_change }) => value_change?.param_path === 'Device.Time.Enable')
    await watcher.heard()
    const changes = (controller: ScriptedController) =>
      controller.notifies
        .flatMap(({ notify }) => notify.value_change?.param_path ?? [])
        .filter((path) => !path.endsWith('NumberOfEntries'))
    expect(changes(manager)).toEqual([`${SSID}SSID`, 'Device.Time.Enable'])
    expect(changes(watcher)).toEqual([`${SSID}SSID`])
  })

  it('a right that is taken away ends its notifications at once, and one that is given begins them', async () => {
    await subscribe(watcher, 'ssid', 'ValueChange', `${SSID}SSID`)
    const [, , role = ''] = await model.instances('Device.LocalAgent.ControllerTrust.Role.')
    await set(manager, role, { Enable: 'false' })
    await set(manager, SSID, { SSID: 'unseen' })
    await set(manager, role, { Enable: 'true' })
    await set(manager, SSID, { SSID: 'seen' })
    const { notify } = await watcher.notified(({ value_change }) => value_change !== undefined)
    expect(notify.value_change?.param_value).toBe('seen')
  })

  it('Boot! and Periodic! go to both after a restart, each with the parameters that it may read', async () => {
    for (const [controller, row] of [
      [manager, managerRow],
      [watcher, watcherRow],
    ] as const) {
      await subscribe(controller, 'boot', 'Event', 'Device.Boot!', { Persistent: 'true', NotifRetry: 'true' })
      await subscribe(controller, 'time', 'Event', 'Device.LocalAgent.Periodic!', { Persistent: 'true' })
      for (const ParameterName of [`${SSID}SSID`, 'Device.DeviceInfo.SerialNumber'])
        await model.add([{ table: `${row}BootParameter.`, values: { ParameterName, Enable: 'true' } }], 'agent')
    }
    agent.stop(true)
    agent.start(BOOT)
    const boots = await Promise.all(
      [manager, watcher].map((one) => one.notified(({ event }) => event?.event_name === 'Boot!')),
    )
    expect(boots.map(({ notify }) => JSON.parse(notify.event?.params.ParameterMap ?? ''))).toEqual([
      { [`${SSID}SSID`]: 'H1-5G', 'Device.DeviceInfo.SerialNumber': 'S-1' },
      { [`${SSID}SSID`]: 'H1-5G' },
    ])
    clock.advance(60_000)
    for (const one of [manager, watcher]) await one.notified(({ event }) => event?.event_name === 'Periodic!')
  })

  it('one that is disabled is owed what was, and nothing more; a restart does not change that', async () => {
    const { store, owed } = memoryStore()
    agent.stop(true)
    agent = agentOver(model, clock, { access: { roleOf: () => MANAGER.name }, notifyStore: store })
    agent.start(BOOT)
    await Promise.all([manager.connected(2), watcher.connected(2)])
    watcher.acknowledge = false
    await subscribe(watcher, 'kept', 'ValueChange', `${SSID}SSID`, { Persistent: 'true', NotifRetry: 'true' })
    await set(manager, SSID, { SSID: 'owed' })
    await watcher.notified(({ subscription_id }) => subscription_id === 'kept')
    await set(manager, watcherRow, { Enable: 'false' })
    await set(manager, SSID, { SSID: 'not owed' })
    agent.stop(true)
    agent.start(BOOT)
    await manager.connected(3)
    await manager.heard()
    expect([...owed.values()].map(({ notify }) => notify.value_change?.param_value)).toEqual(['owed'])
    await set(manager, watcherRow, { Enable: 'true' })
    const again = await watcher.notified(({ subscription_id }) => subscription_id === 'kept', 1)
    expect([again.msgId, again.notify.value_change?.param_value]).toEqual([...owed.keys(), 'owed'])
  })

  it('one that is deleted takes its subscriptions along, and the other stays', async () => {
    await subscribe(manager, 'm', 'ValueChange', 'Device.')
    await subscribe(watcher, 'w', 'ValueChange', 'Device.WiFi.')
    await manager.ask('delete', { allow_partial: false, obj_paths: [watcherRow] })
    await until(() => watcher.records.at(-1) === 'disconnect')
    await until(async () => (await model.instances(SUBSCRIPTIONS)).length === 1)
    await manager.heard()
  })
})
