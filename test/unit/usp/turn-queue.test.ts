import { expect, it } from 'vitest'
import { TurnQueue } from '../../../src/usp/agent/turn-queue.ts'
import { settled } from '../../support/manual-clock.ts'

function world() {
  const done: string[] = []
  const queue = new TurnQueue((error) => done.push(String(error)))
  const work = (name: string) => async () => {
    await settled(1)
    done.push(name)
  }
  const ask = (name: string, isRead = false) => queue.request(name.slice(0, 1), work(name), isRead)
  return { done, queue, work, ask }
}

it('requests of several Controllers are in turn, those of one in their order, and work of the Agent comes first', async () => {
  const { done, queue, work, ask } = world()
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2']) ask(name)
  queue.run(work('own'))
  await settled(30)
  ask('b3')
  await settled(5)
  expect(done).toEqual(['own', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', 'b3'])
})

it('work that fails holds up nothing, and work from before a restart is not begun', async () => {
  const { done, queue, work, ask } = world()
  queue.run(async () => {
    throw new Error('wrong')
  })
  ask('a1')
  await settled(5)
  queue.run(work('under way'))
  ask('a2')
  await Promise.resolve()
  queue.restart()
  ask('b1')
  await settled(10)
  expect(done).toEqual(['Error: wrong', 'a1', 'under way', 'b1'])
})

it('readings pass long work, one of each Controller at a time, and none passes a write of its own Controller', async () => {
  const { done, queue, ask } = world()
  queue.request(
    'a',
    async () => {
      for (const part of ['part 1', 'part 2', 'part 3']) {
        await settled(1)
        done.push(part)
        await queue.letReadsPass()
      }
    },
    false,
  )
  ask('a read 1', true)
  ask('a read 2', true)
  ask('b write')
  ask('b read', true)
  ask('c read 1', true)
  ask('c write')
  ask('c read 2', true)
  await settled(40)
  expect(done).toEqual([
    ...['part 1', 'c read 1', 'a read 1', 'part 2', 'a read 2', 'part 3'],
    ...['b write', 'c write', 'b read', 'c read 2'],
  ])
})
