import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Box } from '../../../src/simulator/index.ts'
import { ScriptedController } from '../../support/scripted-controller.ts'
import { makeBox } from '../../support/simulated-box.ts'

const TABLE = 'Device.LocalAgent.Controller.'
const ASK = { param_paths: ['Device.DeviceInfo.SerialNumber'], max_depth: 0 }

let controller: ScriptedController
let box: Box
let clock: ReturnType<typeof makeBox>['clock']
let row: string
beforeEach(async () => {
  controller = await ScriptedController.start()
  ;({ box, clock } = makeBox('uspOnly', {
    faults: ['deaf'],
    usp: { endpointId: controller.endpointId, port: controller.port },
  }))
  box.start()
  await controller.connected(1)
  await vi.waitUntil(() => box.agent?.connected === true)
  row = box.controllerRows()[0] ?? ''
})
afterEach(async () => {
  box.stop(false)
  await controller.stop()
})

/** Lets the Agent look at its rows. */
const look = () => clock.advance(5)
const leaves = () => vi.waitUntil(() => controller.records.at(-1) === 'disconnect')
function remove(): void {
  box.tree.deleteRow(row, 'box')
  look()
}
/** The same Controller, in a row of its own. */
function addAgain(): void {
  row = box.tree.addRow(TABLE, 'box')
  const mtp = box.tree.addRow(`${row}MTP.`, 'box')
  const values = { Protocol: 'WebSocket', Enable: 'true', 'WebSocket.Host': '127.0.0.1', 'WebSocket.Path': '/usp' }
  for (const [name, value] of Object.entries(values)) box.tree.put(mtp + name, value)
  box.tree.put(`${mtp}WebSocket.Port`, String(controller.port))
  box.tree.put(`${mtp}WebSocket.EnableEncryption`, 'false')
  box.tree.put(`${row}EndpointID`, controller.endpointId)
  box.tree.put(`${row}Enable`, 'true')
  look()
}

describe('a deaf Agent whose Controller row is deleted', () => {
  it('keeps its link and answers nothing that comes over it', async () => {
    await controller.heard()
    remove()
    controller.request('get', ASK, 'unheard')
    controller.cut()
    // It dials again, as to a Controller that it has, and stays deaf.
    await vi.waitUntil(() => {
      clock.next()
      return controller.connects.length === 2
    })
    await controller.connected(2)
    controller.request('get', ASK, 'unheard too')
    await vi.waitUntil(() => box.agent?.deafLinks === 1)
    expect(box.agent?.connected).toBe(false)
    expect(controller.notifies.filter(({ notify }) => notify.obj_deletion !== undefined)).toEqual([])
    expect(controller.records).not.toContain('disconnect')
  })

  it('never dials a row that is made for the same Controller, until it restarts', async () => {
    remove()
    addAgain()
    await leaves()
    expect(box.agent?.deafLinks).toBe(0)
    clock.advance(3_600_000)
    expect(controller.connects).toHaveLength(1)
    box.powerLoss()
    clock.advance(1000)
    look()
    await controller.connected(2)
    await controller.heard()
  })

  it.each([
    ['the Controller is disabled', () => box.tree.put(`${row}Enable`, 'false')],
    ['its MTP is disabled', () => box.tree.put(`${row}MTP.1.Enable`, 'false')],
    ['the MTP row is deleted', () => box.tree.deleteRow(`${row}MTP.1.`, 'box')],
  ])('has ended its link before when %s first, and dials a row that comes later', async (_name, disable) => {
    disable()
    remove()
    await leaves()
    expect(box.agent?.deafLinks).toBe(0)
    addAgain()
    await controller.connected(2)
    await controller.heard()
  })
})
