import { beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf, type Operation } from '../../../src/domain/index.ts'
import type { ContactEntry } from '../../../src/operations/contacts.ts'
import { Passes } from '../../../src/operations/passes.ts'
import { FollowUps, holdSession } from '../../../src/operations/session-hold.ts'
import { createManualClock, type ManualClock, settled } from '../../support/manual-clock.ts'

const DEVICE = deviceIdOf({ oui: '0C96BF', productClass: 'Box', serial: '1' })
const operation = (id: string) => ({ id, deviceId: DEVICE }) as Operation

describe('a CWMP session', () => {
  let clock: ManualClock
  let passes: Passes
  let followUps: FollowUps
  let abort: AbortController
  let ended: boolean
  /** The work of a pass over the device. */
  let pass: () => Promise<void>
  beforeEach(() => {
    clock = createManualClock()
    pass = async () => undefined
    passes = new Passes(() => pass())
    followUps = new FollowUps(clock)
    abort = new AbortController()
    ended = false
  })

  function hold(): void {
    const entry = {
      contact: { deviceId: DEVICE, signal: abort.signal },
      usedAt: clock.now(),
      inUse: false,
    } as unknown as ContactEntry
    void holdSession(entry, { passes, followUps, clock, quietMs: 60_000 }).then(() => {
      ended = true
    })
  }

  it('ends when nothing is left to do', async () => {
    passes.request(DEVICE)
    hold()
    await settled()
    expect(ended).toBe(true)
  })

  it('is held for the operation that follows the end of another one', async () => {
    followUps.expectAfter('one')
    pass = async () => followUps.ended(operation('one'))
    passes.request(DEVICE)
    hold()
    await settled()
    clock.advance(2900)
    await settled()
    expect(ended).toBe(false)
    // The next operation arrives, and none follows it.
    pass = async () => undefined
    followUps.arrived(DEVICE)
    passes.request(DEVICE)
    await settled()
    expect(ended).toBe(true)
  })

  it('is held no longer than the next operation may take', async () => {
    followUps.expectAfter('one')
    pass = async () => followUps.ended(operation('one'))
    passes.request(DEVICE)
    hold()
    await settled()
    clock.advance(3000)
    await settled()
    expect(ended).toBe(true)
  })

  it('ends at once when the CPE is gone', async () => {
    followUps.expectAfter('one')
    pass = async () => followUps.ended(operation('one'))
    passes.request(DEVICE)
    hold()
    await settled()
    abort.abort()
    await settled()
    expect(ended).toBe(true)
  })

  it('is not held for operations that are followed by none, nor by those of other devices', async () => {
    followUps.ended(operation('two'))
    expect(followUps.leftMs(DEVICE)).toBeLessThanOrEqual(0)
    followUps.expectAfter('three')
    followUps.ended({
      ...operation('three'),
      deviceId: deviceIdOf({ oui: '0C96BF', productClass: 'Box', serial: '2' }),
    })
    expect(followUps.leftMs(DEVICE)).toBeLessThanOrEqual(0)
  })

  it('is held for three seconds at the most, also when the clock was set back', () => {
    followUps.expectAfter('one')
    followUps.ended(operation('one'))
    expect(followUps.leftMs(DEVICE)).toBe(3000)
    const back = new FollowUps({ now: () => clock.now(), after: clock.after })
    back.expectAfter('one')
    back.ended(operation('one'))
    clock.advance(-3_600_000)
    expect(back.leftMs(DEVICE)).toBe(3000)
  })
})
