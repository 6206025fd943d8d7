import { describe, expect, it } from 'vitest'
import type { DeviceId, Operation } from '../../../src/domain/index.ts'
import { Waits } from '../../../src/operations/wait.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const OPERATION: Operation = {
  id: 'one',
  deviceId: '00256D-Box-1' as DeviceId,
  request: { verb: 'reboot' },
  state: 'sent',
  actor: { kind: 'apiKey', id: 'k' },
  createdAt: 0,
  expiresAt: 0,
  attempts: 1,
}

function world(isHere: boolean) {
  const clock = createManualClock()
  let skewMs = 0
  const stepped = { ...clock, now: () => clock.now() + skewMs }
  const stores = createMemoryStores(clock)
  let state: Operation['state'] = 'sent'
  let looks = 0
  const get = async () => {
    looks++
    return { ...OPERATION, state }
  }
  const waits = new Waits({
    store: { ...stores.operations, get },
    clock: stepped,
    pollMs: 1000,
    isHere: () => isHere,
    onFinished: () => () => undefined,
  })
  return {
    clock,
    wait: (id: string, timeoutMs: number, stopping?: AbortSignal) => waits.wait(id, timeoutMs, stopping),
    submitted: () => waits.submitted(OPERATION),
    looks: () => looks,
    end: () => {
      state = 'done'
    },
    step: (ms: number) => {
      skewMs += ms
    },
  }
}

/** Moves time on as far as a wait needs it; resolves with how far. */
async function run<T>(clock: ReturnType<typeof createManualClock>, promise: Promise<T>) {
  const from = clock.now()
  let over = false
  const done = promise.finally(() => {
    over = true
  })
  for (;;) {
    await settled(8)
    if (over) return { result: await done, ms: clock.now() - from }
    if (!clock.next()) throw new Error('it waits without a timer')
  }
}

describe('waiting for an operation', () => {
  it.each([-600_000, 3_600_000])('takes its full time when the wall clock is moved by %d ms', async (ms) => {
    const { clock, wait, step } = world(true)
    const waiting = wait('one', 5000)
    await settled()
    step(ms)
    const { result, ms: tookMs } = await run(clock, waiting)
    expect(result?.state).toBe('sent')
    expect(tookMs).toBe(5000)
  })

  it('reads soon for an end in another instance, and less often later', async () => {
    const { clock, wait, looks, end } = world(false)
    const first = wait('one', 60_000)
    await settled()
    end()
    expect((await run(clock, first)).ms).toBe(250)
    const { wait: again, clock: other, looks: lookedAgain } = world(false)
    await run(other, again('one', 60_000))
    expect(looks()).toBe(2)
    expect(lookedAgain()).toBeLessThan(66)
  })

  it('does not read what this process stored just now, while the device is in contact with it', async () => {
    const { clock, wait, looks, submitted } = world(true)
    submitted()
    await run(clock, wait('one', 900))
    expect(looks()).toBe(1)
  })

  it('reads seldom while the device is in contact with this process', async () => {
    const { clock, wait, looks } = world(true)
    await run(clock, wait('one', 10_000))
    expect(looks()).toBeLessThan(13)
  })
})
