import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Codec, type Msg, responseMsg } from '../../../src/usp/wire/index.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { type AgentEnd, MemoryMtp } from '../../support/memory-mtp.ts'
import { until } from '../../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../../support/usp-controller.ts'

const codec = new Codec()
const EID = 'os::00256D-S1'
const INFO = { ManufacturerOUI: '00256D', ProductClass: 'Box', SerialNumber: 'S1' }

let clock: ManualClock
let one: MemoryMtp
let other: MemoryMtp
let world: TestController
let requests: string[]

beforeEach(async () => {
  clock = createManualClock()
  one = new MemoryMtp('one', clock)
  other = new MemoryMtp('other', clock)
  requests = []
  world = await startController({ mtps: [one, other] }, { clock })
})
afterEach(() => world.stop())

/** The connect Record of a UDS MTP (field 13); the codec writes that of a WebSocket (field 9). */
function connectRecord(): Uint8Array {
  const record = codec.encodeRecord({ toId: CONTROLLER_ID, fromId: EID, body: { kind: 'websocketConnect' } })
  return record.with(record.length - 2, (13 << 3) | 2)
}

/** Answers each Get with the identity, and each other request with an Error. */
function answer(bytes: Uint8Array, end: AgentEnd): void {
  const { body } = codec.decodeRecord(bytes)
  if (body.kind !== 'noSession') return
  const msg = codec.decodeMsg(body.payload)
  if (msg.kind !== 'request') return
  requests.push(msg.name)
  const resolved_path_results = [{ resolved_path: 'Device.DeviceInfo.', result_params: INFO }]
  const result = { requested_path: 'Device.DeviceInfo.', err_code: 0, err_msg: '', resolved_path_results }
  const reply: Msg =
    msg.name === 'get'
      ? responseMsg(msg.msgId, 'get_resp', { req_path_results: [result] })
      : { msgId: msg.msgId, kind: 'error', body: { err_code: 7001, err_msg: '', param_errs: [] } }
  end.send(codec.encode(CONTROLLER_ID, EID, reply))
}

async function open(mtp: MemoryMtp): Promise<AgentEnd> {
  const end = await mtp.open(EID, answer)
  if ('kind' in end) throw new Error(end.text)
  return end
}

describe('an Agent on an MTP that is no WebSocket', () => {
  it('is joined to its device after the connect Record of that MTP, and not after another one', async () => {
    const end = await open(one)
    end.send(codec.encodeRecord({ toId: CONTROLLER_ID, fromId: EID, body: { kind: 'websocketConnect' } }))
    expect(requests).toEqual([])
    end.send(connectRecord())
    const contact = await world.contact()
    expect(contact.deviceId).toBe('00256D-Box-S1')
    expect(world.controller.linkCount).toBe(1)
  })

  it('holds its Endpoint ID against links over every MTP while it answers', async () => {
    const end = await open(one)
    end.send(connectRecord())
    await world.contact()
    expect(await other.open(EID, () => undefined)).toMatchObject({ kind: 'tryAgain' })
    expect([end.closed(), one.linkCount, other.linkCount]).toEqual([undefined, 1, 0])
  })

  it('gives its Endpoint ID to a link over another MTP when it does not answer', async () => {
    const silent = await one.open(EID, () => undefined)
    const opening = open(other)
    await until(() => {
      clock.advance(3000)
      return other.linkCount === 1
    })
    await opening
    expect('closed' in silent && silent.closed()).toBe('replaced')
  })
})
