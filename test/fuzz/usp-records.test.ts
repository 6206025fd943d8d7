import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Log, silentLog } from '../../src/base/index.ts'
import { Codec, type Notify } from '../../src/usp/wire/index.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const VECTORS = join(import.meta.dirname, '../vectors/usp')
const codec = new Codec()
/** Messages of real shape, to be bent. */
const payloads = readdirSync(VECTORS)
  .filter((name) => name.endsWith('.hex'))
  .map((name) =>
    Buffer.from(readFileSync(join(VECTORS, name), 'utf8').replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex'),
  )
  .flatMap((bytes) => {
    const { body } = codec.decodeRecord(bytes)
    return body.kind === 'noSession' ? [Buffer.from(body.payload)] : []
  })

/** Bytes changed, cut out, cut off or doubled, as broken memory and careless Agents do. */
const bend = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), how: fc.nat(3) })
function bent(payload: Buffer, bends: { at: number; byte: number; how: number }[]): Buffer {
  let bytes = Buffer.from(payload)
  for (const { at, byte, how } of bends) {
    const i = Math.floor(at * Math.max(bytes.length - 1, 0))
    if (how === 0 && bytes.length > 0) bytes[i] = byte
    else if (how === 1) bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)])
    else if (how === 2) bytes = bytes.subarray(0, i)
    else bytes = Buffer.concat([bytes, bytes.subarray(i)])
  }
  return bytes
}

describe('a joined Agent that sends bent Messages', () => {
  const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
  const errors: unknown[] = []
  const log: Log = { ...silentLog, error: (...line: unknown[]) => void errors.push(line), child: () => log }
  let world: TestController

  beforeAll(async () => {
    world = await startController({ log })
  })
  afterAll(() => world.stop())

  it('harms nothing: no error of ours, and the next one is served', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...payloads), fc.array(bend, { maxLength: 4 })), { maxLength: 20 }),
        async (messages) => {
          const agent = await world.connect('os::00256D-S1')
          agent.serve(IDENTITY)
          agent.hello()
          await world.contact()
          for (const [payload, bends] of messages) {
            const body = { kind: 'noSession' as const, payload: bent(payload, bends) }
            agent.sendBytes(codec.encodeRecord({ toId: CONTROLLER_ID, fromId: 'os::00256D-S1', body }))
          }
          // Its next request is answered, unless an identity that was changed into another one cost it its link.
          if (agent.socket.readyState === WebSocket.OPEN) await agent.heard().catch(() => undefined)
          agent.socket.terminate()
        },
      ),
      { numRuns: 150 },
    )
    expect(errors).toEqual([])
  })

  it('and texts of every kind are kept or refused, and acknowledged', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('__proto__', '$where', '\0', 'Device.'),
    )
    const words = fc.dictionary(text, text, { maxKeys: 4 })
    const about = fc.oneof(
      fc.record({ value_change: fc.record({ param_path: text, param_value: text }) }),
      fc.record({ event: fc.record({ obj_path: text, event_name: text, params: words }) }),
      fc.record({ obj_creation: fc.record({ obj_path: text, unique_keys: words }) }),
      fc.record({ obj_deletion: fc.record({ obj_path: text }) }),
      fc.record({ oper_complete: fc.record({ obj_path: text, command_name: text, command_key: text }) }),
    )
    const agent = await world.connect('os::00256D-S1')
    agent.serve(IDENTITY)
    agent.hello()
    await world.contact()
    await fc.assert(
      fc.asyncProperty(about, text, async (said, subscription_id) => {
        const notify: Notify = { subscription_id, send_resp: true, ...said }
        const msgId = agent.notify(notify)
        expect(await agent.takeReply(msgId)).toMatchObject({ name: 'notify_resp' })
      }),
      { numRuns: 200 },
    )
    expect(errors).toEqual([])
  })
})
