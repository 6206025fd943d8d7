import { expect, it } from 'vitest'
import { Outbox } from '../../../../src/bridge/mqtt/outbox.ts'
import type { OutgoingMessage } from '../../../../src/mqtt/index.ts'
import { settled } from '../../../support/manual-clock.ts'

const message = (topic: string, payload = 'x', qos: 0 | 1 = 1, retain = false): OutgoingMessage => ({
  topic,
  payload,
  qos,
  retain,
})

/** An outbox with a connection that notes what was sent. */
function opened(outbox: Outbox): OutgoingMessage[] {
  const sent: OutgoingMessage[] = []
  outbox.open(async (one) => void sent.push(one))
  return sent
}

it('keeps messages while the broker is away, the newest alone of a retained topic, and no telemetry', async () => {
  const outbox = new Outbox()
  outbox.put('r1', message('state', 'online', 1, true))
  outbox.put('r1', message('event'))
  outbox.put('r1', message('state', 'offline', 1, true))
  outbox.put('r1', message('telemetry', 'x', 0))
  expect(outbox).toMatchObject({ waiting: 2, dropped: 1 })
  const sent = opened(outbox)
  await settled()
  expect(sent.map(({ topic, payload }) => [topic, payload])).toEqual([
    ['event', 'x'],
    ['state', 'offline'],
  ])
  expect(outbox.isEmpty).toBe(true)
})

it('a lane that is full loses its own messages, and lanes take turns', async () => {
  const outbox = new Outbox()
  outbox.put('r2', message('quiet'))
  for (let i = 0; i < 1000; i++) outbox.put('r1', message(`loud ${i}`))
  expect(outbox).toMatchObject({ waiting: 201, dropped: 800 })
  outbox.put('r3', message('late'))
  const sent = opened(outbox)
  await settled(300)
  expect(sent).toHaveLength(202)
  expect(sent.slice(0, 3).map(({ topic }) => topic)).toEqual(['quiet', 'loud 800', 'late'])
})

it('a lane has at most 1 MiB, and takes no message that is larger', () => {
  const outbox = new Outbox()
  for (let i = 0; i < 10; i++) outbox.put('r1', message('t', 'x'.repeat(200_000)))
  expect(outbox.waiting).toBe(5)
  outbox.put('r1', message('t', 'x'.repeat(1_100_000)))
  expect(outbox).toMatchObject({ waiting: 5, dropped: 6 })
})

it('what was lost with the connection is sent again over the next one, before all that came later', async () => {
  const outbox = new Outbox()
  let fail = (_: Error) => {}
  outbox.open(() => new Promise((_, reject) => (fail = reject)))
  outbox.put('r1', message('first'))
  outbox.close()
  outbox.put('r1', message('second'))
  fail(new Error('gone'))
  await settled()
  const sent = opened(outbox)
  await settled()
  expect(sent.map(({ topic }) => topic)).toEqual(['first', 'second'])
})

it('a message that the broker refuses is dropped and not sent again', async () => {
  const outbox = new Outbox()
  let calls = 0
  outbox.open(async () => {
    calls++
    throw new Error('not authorized')
  })
  outbox.put('r1', message('refused'))
  await settled()
  expect(calls).toBe(1)
  expect(outbox).toMatchObject({ waiting: 0, dropped: 1, isEmpty: true })
})
