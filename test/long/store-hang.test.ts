import { once } from 'node:events'
import { expect, it } from 'vitest'
import { EngineProcess } from '../support/engine-process.ts'
import { testStore } from '../support/store.ts'

/** The connection waits for an answer for 30 s, and a caller behind it for 15. */
it('a database that hangs is told of in bounded time, and what is refused before it began is not done later', async () => {
  const engine = new EngineProcess()
  await engine.start()
  const store = await testStore(engine.uri)
  const append = (at: number) => store.events.append([{ type: 'device.booted', at, data: {} }])
  try {
    await append(1)
    await engine.hold()
    const begun = once(store.db.client, 'connectionCheckedOut')
    const underWay = append(2)
    await begun
    const outcomes = await Promise.allSettled([
      append(3),
      store.ready(),
      store.audit.append({ at: 1, actor: 'system', action: 'test', target: 't', result: 'ok' }),
      store.operations.get('x'),
      underWay,
    ])
    expect(outcomes.map((one) => (one.status === 'rejected' ? one.reason.code : 'done'))).toEqual(
      outcomes.map(() => 'unavailable'),
    )
    engine.release()
    await append(4)
    const told = (await store.events.since(undefined, 10)).map(({ at }) => at)
    expect(told).not.toContain(3)
    expect([told.at(0), told.at(-1)]).toEqual([1, 4])
  } finally {
    engine.release()
    await store.close()
    await engine.stop()
  }
})
