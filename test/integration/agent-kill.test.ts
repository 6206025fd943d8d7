import { afterEach, beforeEach, expect, it } from 'vitest'
import { settingsOf, subscribe } from '../support/agent-world.ts'
import { FleetProcess } from '../support/fleet-process.ts'
import { ScriptedController } from '../support/scripted-controller.ts'

let controller: ScriptedController
let fleet: FleetProcess
beforeEach(async () => {
  controller = await ScriptedController.start()
  fleet = new FleetProcess({
    mix: { uspOnly: 1 },
    faultEvery: 0,
    faults: [],
    seed: 1,
    enrolmentSecret: 'secret',
    endpointId: controller.endpointId,
    timeScale: 1,
    informIntervalS: 300,
    cwmpPort: 9,
    uspPort: controller.port,
  })
})
afterEach(async () => {
  await fleet.stop()
  await controller.stop()
})

/** Sets a parameter; resolves when the Agent has answered. */
const set = (value: string) =>
  controller.ask('set', {
    allow_partial: false,
    update_objs: [{ obj_path: 'Device.WiFi.SSID.1.', param_settings: settingsOf({ SSID: value }) }],
  })

it('an Agent that has answered a Set sends its notification, however often it is killed', async () => {
  controller.acknowledge = false
  await fleet.start()
  await controller.connected(1)
  const kept = { Persistent: 'true', NotifRetry: 'true' }
  expect(await subscribe(controller, 'kept', 'ValueChange', 'Device.WiFi.SSID.1.SSID', kept)).toMatchObject({
    kind: 'response',
  })
  const values = Array.from({ length: 6 }, (_, i) => `value ${i}`)
  for (const [i, value] of values.entries()) {
    expect(await set(value)).toMatchObject({ kind: 'response' })
    // The notification may be on its way, or not yet.
    await fleet.kill()
    await fleet.start()
    await controller.connected(i + 2)
  }
  for (const value of values) await controller.notified(({ value_change }) => value_change?.param_value === value)
  // A notification keeps its msg_id over restarts, so that its receiver knows it again.
  const ids = new Map<string, Set<string>>()
  for (const { msgId, notify } of controller.notifies) {
    const value = notify.value_change?.param_value
    if (value !== undefined) ids.set(value, (ids.get(value) ?? new Set()).add(msgId))
  }
  expect([...ids].map(([value, { size }]) => [value, size])).toEqual(values.map((value) => [value, 1]))
})
