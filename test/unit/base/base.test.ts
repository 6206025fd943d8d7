import { describe, expect, it } from 'vitest'
import {
  createIdSource,
  createKeyedQueue,
  createLifecycle,
  createLog,
  IllegalTransition,
  silentLog,
  systemRandom,
  type Table,
  transition,
} from '../../../src/base/index.ts'

describe('createIdSource', () => {
  it('gives ids that sort by creation, also within one millisecond and when the clock goes back', () => {
    const times = [1000, 1000, 1000, 999, 1001]
    const next = createIdSource({ now: () => times.shift() ?? 2000, after: () => () => undefined }, systemRandom)
    const ids = Array.from({ length: 6 }, next)
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(6)
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{26}$/)
  })
})

describe('createIdSource of a later process', () => {
  it('goes on behind the newest id, though the clock was set back', () => {
    const at = (now: number) => ({ now: () => now, after: () => () => undefined })
    const earlier = createIdSource(at(5000), systemRandom)
    const old = [earlier(), earlier(), earlier()]
    const next = createIdSource(at(4000), systemRandom, old.at(-1))
    const ids = [...old, next(), next()]
    expect([...ids].sort()).toEqual(ids)
    expect(createIdSource(at(6000), systemRandom, 'no id')()).toMatch(/^00000005vg/)
  })
})

describe('createKeyedQueue', () => {
  it('runs one key in order, other keys side by side, and goes on after a failure', async () => {
    const queue = createKeyedQueue()
    const seen: string[] = []
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = queue.run('a', async () => {
      await gate
      seen.push('a1')
      throw new Error('a1 failed')
    })
    const after = queue.run('a', async () => void seen.push('a2'))
    await queue.run('b', async () => void seen.push('b1'))
    release()
    await expect(slow).rejects.toThrow('a1 failed')
    await after
    expect(seen).toEqual(['b1', 'a1', 'a2'])
    await queue.idle()
    expect(queue.size).toBe(0)
  })
})

describe('createLifecycle', () => {
  it('stops in reverse, what failed to start included, and does not let one failure keep the rest running', async () => {
    const seen: string[] = []
    const part = (name: string, fails = false) => ({
      name,
      start: async () => {
        if (fails) throw new Error('no')
      },
      stop: async () => {
        seen.push(name)
        if (name === 'b') throw new Error('b does not stop')
      },
    })
    const lifecycle = createLifecycle(silentLog)
    await lifecycle.start(part('a'))
    await lifecycle.start(part('b'))
    await expect(lifecycle.start(part('c', true))).rejects.toThrow('no')
    await lifecycle.stop()
    expect(seen).toEqual(['c', 'b', 'a'])
  })
})

describe('state tables', () => {
  const door: Table<'open' | 'shut', 'push' | 'pull'> = { open: { pull: 'shut' }, shut: { push: 'open' } }

  it('moves by the table and names both sides of an illegal event', () => {
    expect(transition('door', door, 'shut', 'push')).toBe('open')
    expect(() => transition('door', door, 'open', 'push')).toThrow(IllegalTransition)
    expect(() => transition('door', door, 'open', 'push')).toThrow('door: event push is not allowed in state open')
  })
})

describe('createLog', () => {
  it('writes JSON lines with fields and cause, and never a secret', () => {
    const lines: string[] = []
    const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) } })
    log.child({ part: 'test' }).info({ password: 'x', credential: { password: 'hunter2' } }, 'hello')
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'bad')
    log.debug({}, 'not written')
    expect(lines).toHaveLength(2)
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', part: 'test', msg: 'hello', password: '[secret]' })
    expect(lines[0]).not.toContain('hunter2')
    expect(lines[1]).toContain('inner')
  })
})
