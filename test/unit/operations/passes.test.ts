import { describe, expect, it } from 'vitest'
import { asDeviceId, type DeviceId } from '../../../src/domain/index.ts'
import { Passes } from '../../../src/operations/passes.ts'
import { settled } from '../../support/manual-clock.ts'

const ONE = asDeviceId('00256D-Home-1')
const TWO = asDeviceId('00256D-Home-2')

/** Passes that begin at once and end when the test says so. */
function world() {
  const begun: DeviceId[] = []
  const ends: (() => void)[] = []
  const passes = new Passes((deviceId) => {
    begun.push(deviceId)
    return new Promise((resolve) => ends.push(resolve))
  })
  const end = async () => {
    ends.shift()?.()
    await settled()
  }
  return { passes, begun, end }
}

describe('passes over devices', () => {
  it('serve all requests of one moment by one pass', async () => {
    const { passes, begun } = world()
    for (let i = 0; i < 5; i++) passes.request(ONE)
    await settled()
    expect(begun).toEqual([ONE])
  })

  it('run one at a time per device, with one more for all requests that arrive during it', async () => {
    const { passes, begun, end } = world()
    passes.request(ONE)
    await settled()
    for (let i = 0; i < 5; i++) passes.request(ONE)
    await settled()
    expect(begun).toEqual([ONE])
    await end()
    expect(begun).toEqual([ONE, ONE])
    await end()
    expect(begun).toHaveLength(2)
    expect(passes.isActive(ONE)).toBe(false)
  })

  it('run side by side over different devices', async () => {
    const { passes, begun } = world()
    passes.request(ONE)
    passes.request(TWO)
    await settled()
    expect(begun).toEqual([ONE, TWO])
  })

  it('have ended for a device when the last requested pass has', async () => {
    const { passes, end } = world()
    let isEnded = false
    passes.request(ONE)
    await settled()
    passes.request(ONE)
    void passes.ended(ONE).then(() => {
      isEnded = true
    })
    await end()
    expect(isEnded).toBe(false)
    await end()
    expect(isEnded).toBe(true)
  })

  it('begin after other work with their device, and other work after them', async () => {
    const { passes, begun, end } = world()
    let endWork: () => void = () => undefined
    const work = passes.between(ONE, () => new Promise((resolve) => (endWork = resolve)))
    passes.request(ONE)
    await settled()
    expect(begun).toEqual([])
    expect(passes.isActive(ONE)).toBe(true)
    endWork()
    await work
    await settled()
    expect(begun).toEqual([ONE])
    let isBegun = false
    const next = passes.between(ONE, async () => {
      isBegun = true
    })
    await settled()
    expect(isBegun).toBe(false)
    await end()
    await next
    expect(isBegun).toBe(true)
    expect(passes.isActive(ONE)).toBe(false)
  })

  it('can request the next one themselves', async () => {
    let count = 0
    const passes = new Passes(async (_deviceId, again) => {
      if (++count < 3) again()
    })
    passes.request(ONE)
    await passes.idle()
    expect(count).toBe(3)
  })
})
