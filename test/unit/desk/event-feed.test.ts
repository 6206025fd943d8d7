import { expect, it } from 'vitest'
import { createIdSource, systemRandom } from '../../../src/base/index.ts'
import { EventFeed } from '../../../src/desk/index.ts'
import type { FeedEvent } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

/** A feed over events of these times, with so many live instances at the time of the last one. */
function feedOf(times: number[], live: number) {
  const clock = createManualClock(0)
  const newId = createIdSource(clock, systemRandom)
  const events: FeedEvent[] = []
  for (const at of times) {
    clock.advance(at - clock.now())
    events.push({ id: newId(), type: 'device.booted', at, data: {} })
  }
  const instances = { alive: async () => Array.from({ length: live }, (_, n) => `i${n}`) }
  const read = async () => events
  return { clock, feed: new EventFeed({ events: { since: read, ofDevice: read }, instances, clock }) }
}
const timesOf = (events: FeedEvent[]) => events.map(({ at }) => at)

it('the feed of one instance shows every event at once', async () => {
  const { feed } = feedOf([10_000, 20_000], 1)
  expect(timesOf(await feed.since('0', 10))).toEqual([10_000, 20_000])
})

it('the feed of several instances shows an event when none of them can commit an older one any more', async () => {
  const { feed, clock } = feedOf([10_000, 20_000], 2)
  expect(timesOf(await feed.since('0', 10))).toEqual([10_000])
  clock.advance(3000)
  expect(timesOf(await feed.since('0', 10))).toEqual([10_000, 20_000])
})
