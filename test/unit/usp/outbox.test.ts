import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { NotifyOutbox } from '../../../src/usp/agent/outbox.ts'
import type { NotifyStore, OwedNotify } from '../../../src/usp/agent/owed.ts'
import type { Notify } from '../../../src/usp/wire/index.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { memoryStore } from '../../support/memory-notify-store.ts'

const ROW = 'Device.LocalAgent.Controller.1.'
const SUBSCRIPTION = 'Device.LocalAgent.Subscription.1.'
const change = (param_value: string): Notify => ({
  subscription_id: 's',
  send_resp: true,
  value_change: { param_path: 'Device.A', param_value },
})

let clock: ManualClock
let isOpen: boolean
let sent: string[]
let store: NotifyStore & { owed: Map<string, OwedNotify>; fails: boolean }
let outbox: NotifyOutbox
let nextId: number
beforeEach(() => {
  clock = createManualClock()
  isOpen = true
  sent = []
  nextId = 0
  store = failingStore()
  outbox = make()
})

function failingStore(): typeof store {
  const { store: inner, owed } = memoryStore()
  return {
    ...inner,
    owed,
    fails: false,
    async put(one) {
      if (this.fails) throw new Error('the disk is full')
      await inner.put(one)
    },
  }
}

function make(): NotifyOutbox {
  return new NotifyOutbox({
    controller: ROW,
    store,
    clock,
    wallClock: clock,
    random: { bytes: () => new Uint8Array(), fraction: () => 0 },
    log: silentLog,
    retryPolicy: () => ({ minimumS: 5, multiplier: 2000 }),
    send(msgId) {
      if (isOpen) sent.push(msgId)
      return isOpen
    },
    nextId: () => `m${++nextId}`,
  })
}

const worth = (forMs?: number, wanted = () => true) => ({ subscription: SUBSCRIPTION, forMs, wanted })

describe('notifications that want an answer (TR-369 7.6.2)', () => {
  it('are durable before they are sent, and sent again under their msg_id until they are acknowledged (R-NOT.1)', async () => {
    const msgId = await outbox.add(change('1'), worth())
    expect([sent, [...store.owed.keys()]]).toEqual([[], [msgId]])
    outbox.flush()
    for (const seconds of [5, 10, 20, 40]) clock.advance(seconds * 1000)
    expect(sent).toEqual(Array(5).fill(msgId))
    outbox.acknowledge('other')
    expect(outbox.has(msgId)).toBe(true)
    outbox.acknowledge(msgId)
    clock.advance(10 * 3_600_000)
    expect([sent.length, store.owed.size]).toEqual([5, 0])
  })

  it('wait no longer from the tenth time on (R-NOT.2)', async () => {
    await outbox.add(change('1'), worth())
    outbox.flush()
    for (let n = 0; n < 9; n++) clock.advance(5000 * 2 ** n)
    expect(sent).toHaveLength(10)
    for (const n of [11, 12]) {
      clock.advance(2_560_000)
      expect(sent).toHaveLength(n)
    }
  })

  it('are sent until NotifExpiration, counted over a restart, and not after their subscription', async () => {
    await outbox.add(change('1'), worth(60_000))
    outbox.stop()
    clock.advance(50_000)
    outbox = make()
    for (const owed of await store.load()) outbox.restore(owed, () => true)
    outbox.flush()
    clock.advance(5000)
    expect(sent).toEqual(['m1', 'm1'])
    clock.advance(60_000)
    expect([sent.length, store.owed.size]).toEqual([2, 0])
    await outbox.add(
      change('2'),
      worth(undefined, () => false),
    )
    outbox.flush()
    expect([sent.length, store.owed.size]).toEqual([2, 0])
  })

  it('begin their count anew after a restart (R-NOT.4)', async () => {
    const msgId = await outbox.add(change('1'), worth())
    outbox.flush()
    for (const seconds of [5, 10]) clock.advance(seconds * 1000)
    outbox.stop()
    clock.advance(3_600_000)
    expect(sent).toEqual([msgId, msgId, msgId])
    outbox = make()
    for (let i = 0; i < 2; i++) for (const owed of await store.load()) outbox.restore(owed, () => true)
    outbox.flush()
    clock.advance(5000)
    expect(sent).toHaveLength(5)
  })

  it('that are due while the link is closed are sent once it is open, in their order', async () => {
    isOpen = false
    const [first, second] = [await outbox.add(change('1'), worth()), await outbox.add(change('2'), worth())]
    outbox.addOnce(change('3'))
    outbox.flush()
    clock.advance(3_600_000)
    expect(sent).toEqual([])
    isOpen = true
    outbox.flush()
    // One that is sent once is worth something at its time alone.
    expect(sent).toEqual([first, second])
    clock.advance(5000)
    expect(sent).toEqual([first, second, first, second])
  })

  it('are bounded: one too many is sent once, and is not stored', async () => {
    for (let i = 0; i < 200; i++) await outbox.add(change('1'), worth())
    const last = await outbox.add(change('2'), worth())
    outbox.flush()
    expect([sent.at(-1), outbox.has(last), store.owed.size]).toEqual([last, false, 200])
    outbox.acknowledge('m1')
    expect(outbox.has(await outbox.add(change('3'), worth()))).toBe(true)
    const large = change('x'.repeat(5 * 1024 * 1024))
    outbox.acknowledge('m2')
    expect(outbox.has(await outbox.add(large, worth()))).toBe(false)
  })

  it('that cannot be stored are sent all the same', async () => {
    store.fails = true
    const msgId = await outbox.add(change('1'), worth())
    outbox.flush()
    clock.advance(5000)
    expect([sent, store.owed.size]).toEqual([[msgId, msgId], 0])
    outbox.acknowledge(msgId)
  })

  it('of a Controller that is gone leave the store', async () => {
    await outbox.add(change('1'), worth())
    outbox.discard()
    expect(store.owed.size).toBe(0)
  })
})
