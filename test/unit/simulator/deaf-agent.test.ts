import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatedDevice } from '../../../src/simulator/index.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { makeDevice } from '../../support/simulated-device.ts'
import { until } from '../../support/until.ts'

const TABLE = 'Device.LocalAgent.Controller.'
const ASK = { param_paths: ['Device.DeviceInfo.SerialNumber'], max_depth: 0 }

let controller: ScriptedController
let device: SimulatedDevice
let clock: ReturnType<typeof makeDevice>['clock']
let row: string
beforeEach(async () => {
  controller = await ScriptedController.start()
  ;({ device, clock } = makeDevice('uspOnly', {
    faults: ['deaf'],
    usp: { endpointId: controller.endpointId, port: controller.port },
  }))
  device.start()
  await controller.connected(1)
  await until(() => device.agent?.connected === true)
  row = device.controllerRows()[0] ?? ''
})
afterEach(async () => {
  device.stop(false)
  await controller.stop()
})

/** Lets the Agent look at its rows. */
const look = () => clock.advance(5)
const leaves = () => until(() => controller.records.at(-1) === 'disconnect')
function remove(): void {
  device.tree.deleteRow(row, 'device')
  look()
}
/** The same Controller, in a row of its own. */
function addAgain(): void {
  row = device.tree.addRow(TABLE, 'device')
  const mtp = device.tree.addRow(`${row}MTP.`, 'device')
  const values = { Protocol: 'WebSocket', Enable: 'true', 'WebSocket.Host': '127.0.0.1', 'WebSocket.Path': '/usp' }
  for (const [name, value] of Object.entries(values)) device.tree.put(mtp + name, value)
  device.tree.put(`${mtp}WebSocket.Port`, String(controller.port))
  device.tree.put(`${mtp}WebSocket.EnableEncryption`, 'false')
  device.tree.put(`${row}EndpointID`, controller.endpointId)
  device.tree.put(`${row}Enable`, 'true')
  look()
}

describe('a deaf Agent whose Controller row is deleted', () => {
  it('keeps its link and answers nothing that comes over it', async () => {
    await controller.heard()
    remove()
    controller.request('get', ASK, 'unheard')
    controller.cut()
    // It dials again, as to a Controller that it has, and stays deaf.
    await until(() => {
      clock.next()
      return controller.connects.length === 2
    })
    await controller.connected(2)
    controller.request('get', ASK, 'unheard too')
    await until(() => device.deafLinks === 1)
    expect(device.agent?.connected).toBe(false)
    expect(controller.notifies.filter(({ notify }) => notify.obj_deletion !== undefined)).toEqual([])
    expect(controller.records).not.toContain('disconnect')
  })

  it('never dials a row that is made for the same Controller, until it restarts', async () => {
    remove()
    addAgain()
    await leaves()
    expect(device.deafLinks).toBe(0)
    clock.advance(3_600_000)
    expect(controller.connects).toHaveLength(1)
    device.powerLoss()
    clock.advance(1000)
    look()
    await controller.connected(2)
    await controller.heard()
  })

  it.each([
    ['the Controller is disabled', () => device.tree.put(`${row}Enable`, 'false')],
    ['its MTP is disabled', () => device.tree.put(`${row}MTP.1.Enable`, 'false')],
    ['the MTP row is deleted', () => device.tree.deleteRow(`${row}MTP.1.`, 'device')],
  ])('has ended its link before when %s first, and dials a row that comes later', async (_name, disable) => {
    disable()
    remove()
    await leaves()
    expect(device.deafLinks).toBe(0)
    addAgain()
    await controller.connected(2)
    await controller.heard()
  })
})
