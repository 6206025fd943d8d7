import { expect, it } from 'vitest'
import { createIdSource, systemRandom } from '../../../src/base/index.ts'
import type { EventLog, FeedEvent } from '../../../src/domain/index.ts'
import { asDeviceId } from '../../../src/domain/index.ts'
import { feedNotifies } from '../../../src/planner/notify-log.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const deviceId = asDeviceId('0C96BF-CPE-1')
const path = 'Device.LocalAgent.Controller.1.ControllerCode'

it.each([0, 600_000])(
  'a Notify is heard when the clock of the instance that receives it is %d ms behind',
  async (behindMs) => {
    const clock = createManualClock()
    const here = createIdSource(clock, systemRandom)
    const there = createIdSource({ ...clock, now: () => clock.now() - behindMs }, systemRandom)
    const feed: FeedEvent[] = []
    const append = (id: string, value: string) =>
      feed.push({ id, type: 'parameter.changed', at: 0, deviceId, protocol: 'usp', data: { path, value } })
    const events: Omit<EventLog, 'append' | 'onAppended'> = {
      ofTypes: async () => [],
      since: async () => [...feed].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(-1),
      ofDevice: async (_id, after, limit) => feed.filter(({ id }) => id > (after ?? '')).slice(0, limit),
    }
    append(here(), 'old')
    const notifies = feedNotifies({ ...events, append: async () => undefined, onAppended: () => () => undefined })
    const position = await notifies.position()
    clock.advance(1000)
    append(there(), 'new')
    expect(await notifies.heard(deviceId, path, 'new', position)).toBe(true)
    expect(await notifies.heard(deviceId, path, 'newer', position)).toBe(false)
  },
)
