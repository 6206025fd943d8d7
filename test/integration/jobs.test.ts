import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type Log, silentLog } from '../../src/base/index.ts'
import type { JobQueue } from '../../src/domain/index.ts'
import { createJobQueue } from '../../src/jobs/index.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

const PERIOD_MS = 200
let store: Awaited<ReturnType<typeof testStore>>
let running: JobQueue[] = []

beforeEach(async () => {
  store = await testStore(inject('mongodbUri'))
})
afterEach(async () => {
  for (const queue of running.splice(0)) await queue.stop()
  await store.close()
})

function queue(instance: string, log: Log = silentLog): JobQueue {
  const made = createJobQueue({
    db: store.db,
    instance,
    alive: async () => ['a', 'b', 'c'],
    log,
    pollMs: 50,
    rearmMs: 100,
  })
  running.push(made)
  return made
}
const documents = () => store.db.collection('jobs').find({}).toArray()

describe('a recurring job', () => {
  it('runs once per period over all instances, also when they start at the same time', async () => {
    const runs: { by: string; at: number }[] = []
    let overlapping = 0
    let most = 0
    const queues = ['a', 'b', 'c'].map((name) => {
      const one = queue(name)
      one.every('tick', PERIOD_MS, async () => {
        most = Math.max(most, ++overlapping)
        runs.push({ by: name, at: Date.now() })
        // A job that another instance could take meanwhile.
        await documents()
        overlapping--
      })
      return one
    })
    await Promise.all(queues.map((one) => one.start()))
    await until(() => runs.length >= 8)
    expect(await documents()).toHaveLength(1)
    expect(most).toBe(1)
    // Three instances that each ran it would make three times as many runs.
    const periods = (Date.now() - (runs[0]?.at ?? 0)) / PERIOD_MS
    expect(runs.length).toBeLessThanOrEqual(periods + 2)
  })

  it('that fails is logged, and runs again at its next time', async () => {
    const failures: Record<string, unknown>[] = []
    let runs = 0
    const one = queue('a', { ...silentLog, error: (fields) => failures.push(fields) })
    one.every('tick', PERIOD_MS, async () => {
      if (++runs < 3) throw new Error('not today')
    })
    await one.start()
    await until(() => runs >= 4)
    expect(failures.map(({ job, err }) => [job, (err as Error).message])).toEqual([
      ['tick', 'not today'],
      ['tick', 'not today'],
    ])
  })

  it('that does not return is given up, and runs again at its next time', async () => {
    const failures: unknown[] = []
    let runs = 0
    const one = queue('a', { ...silentLog, error: ({ err }) => failures.push(err) })
    const never = () => new Promise<void>(() => undefined)
    one.every('tick', PERIOD_MS, () => (++runs < 3 ? never() : Promise.resolve()), 300)
    await one.start()
    await until(() => runs >= 4)
    expect(failures.map(String)).toEqual(Array(2).fill('Error: it did not end within 0.3 s and is given up'))
  })

  it('costs nothing until it is due: one read looks for all of them', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `job${n}`)
    const ran: string[] = []
    const one = queue('a')
    for (const name of names) one.every(name, 3_600_000, async () => void ran.push(name))
    await one.start()
    await until(() => ran.length === names.length)
    await until(async () => (await documents()).every(({ lockedAt }) => lockedAt === null))
    const count = (command: string) => store.commands.get(command) ?? 0
    // On a busy machine the ends of the first runs may still be stored.
    await until(async () => {
      const before = { looks: count('find'), locks: count('findAndModify') }
      await until(() => count('find') >= before.looks + 6)
      return count('findAndModify') === before.locks
    })
    expect(ran.toSorted()).toEqual(names.toSorted())
  })

  it('is taken over at once from an instance that stops, and from one that was killed', async () => {
    const runs: string[] = []
    const tick = (name: string) => async () => void runs.push(name)
    const first = queue('a')
    first.every('tick', PERIOD_MS, tick('a'))
    await first.start()
    await until(() => runs.length >= 2)
    running = []
    await first.stop()
    expect((await documents()).map(({ lockedAt }) => lockedAt)).toEqual([null])
    // As a killed instance leaves it.
    await store.db.collection('jobs').updateMany({}, { $set: { lockedAt: new Date(), lastModifiedBy: 'dead' } })
    const second = queue('b')
    second.every('tick', PERIOD_MS, tick('b'))
    await second.start()
    await until(() => runs.includes('b'), 5000)
  })

  it('stays with the instance that runs it when another one starts', async () => {
    const runs: string[] = []
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const tick = (name: string) => async () => {
      runs.push(name)
      if (runs.length === 1) await gate
    }
    const first = queue('a')
    first.every('tick', PERIOD_MS, tick('a'))
    await first.start()
    await until(() => runs.length === 1)
    const second = queue('b')
    second.every('tick', PERIOD_MS, tick('b'))
    let beats = 0
    second.every('beat', PERIOD_MS, async () => void beats++)
    await second.start()
    await until(() => beats >= 3)
    expect(runs).toEqual(['a'])
    release()
    await until(() => runs.length >= 3)
  })

  it('takes its new period, and is stored once, also when an older version stored it twice', async () => {
    const old = {
      name: 'tick',
      type: 'single',
      priority: 0,
      repeatInterval: '3600000',
      nextRunAt: new Date(Date.now() + 3_600_000),
      lockedAt: null,
    }
    await store.db.collection('jobs').insertMany([{ ...old }, { ...old }])
    let runs = 0
    const one = queue('a')
    one.every('tick', PERIOD_MS, async () => void runs++)
    await one.start()
    await until(() => runs >= 2)
    expect(await documents()).toHaveLength(1)
  })

  it.each(['while the queue runs', 'before the queue starts'])(
    'goes on when the clock is set back %s',
    async (when) => {
      let runs = 0
      const one = queue('a')
      one.every('tick', PERIOD_MS, async () => void runs++)
      // As a clock that ran ten minutes ahead left it, in the hands of an instance that is gone.
      const before = new Date(Date.now() + 600_000)
      const setBack = { $set: { nextRunAt: before, lockedAt: null } }
      if (when === 'before the queue starts')
        await store.db
          .collection('jobs')
          .insertOne({ name: 'tick', type: 'single', priority: 0, repeatInterval: PERIOD_MS, ...setBack.$set })
      await one.start()
      if (when === 'while the queue runs') {
        await until(() => runs >= 1)
        await until(
          async () => (await store.db.collection('jobs').updateOne({ lockedAt: null }, setBack)).modifiedCount > 0,
        )
      }
      const ran = runs
      await until(() => runs >= ran + 3)
    },
  )

  it('whose hold lies ahead of the clock is held from now on, so that the hold runs out', async () => {
    const ahead = new Date(Date.now() + 600_000)
    await store.db
      .collection('jobs')
      .insertOne({ name: 'tick', type: 'single', priority: 0, nextRunAt: ahead, lockedAt: ahead, lastModifiedBy: 'c' })
    const one = queue('a')
    one.every('tick', PERIOD_MS, async () => undefined)
    await one.start()
    await until(async () => (await documents()).every(({ lockedAt }) => (lockedAt as Date) <= new Date()))
  })

  it('that is running ends before the queue has stopped', async () => {
    const order: string[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const one = queue('a')
    one.every('tick', PERIOD_MS, async () => {
      order.push('begun')
      await gate
      await documents()
      order.push('ended')
    })
    await one.start()
    await until(() => order.length > 0)
    running = []
    const stopped = one.stop().then(() => order.push('stopped'))
    await documents()
    release()
    await stopped
    expect(order).toEqual(['begun', 'ended', 'stopped'])
  })
})
