import { describe, expect, it } from 'vitest'
import { AppError, TransportError } from '../../../src/base/index.ts'
import type { Contact } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { ACTOR, createRoom, createWorld, set } from '../../support/operations-world.ts'

const A = 'Device.X_A'
const B = 'Device.X_B'

describe('waiting', () => {
  it('ends at once when the operation ends in this process', async () => {
    const world = createWorld()
    const operation = await world.submit(set(A, '1'))
    const waited = world.room.wait(operation.id, 30_000)
    await world.room.contact(world.peer.contact('cwmp'))
    expect(await waited).toMatchObject({ id: operation.id, state: 'done' })
  })

  it('reads the store for operations that end in another instance', async () => {
    const world = createWorld()
    const operation = await world.submit(set(A, '1'))
    const elsewhere = createRoom(world.stores, world.clock, { instance: 'b' })
    let state = ''
    world.room.wait(operation.id, 30_000).then((ended) => (state = ended?.state ?? ''))
    await settled()
    await elsewhere.contact(world.peer.contact('cwmp'))
    await world.until(() => state === 'done', 2000)
  })

  it('resolves with the open operation after its time', async () => {
    const world = createWorld()
    const operation = await world.submit(set(A, '1'))
    let state = ''
    world.room.wait(operation.id, 5000).then((ended) => (state = ended?.state ?? ''))
    await world.until(() => state === 'queued', 5500)
    expect(await world.room.wait('none', 5000)).toBeUndefined()
  })
})

it('an operation that may not wait long has ended when its time is over', async () => {
  const world = createWorld()
  const { id } = await world.submit(set(A, '1'), { expiresInMs: 5000 })
  world.clock.advance(4999)
  await settled()
  expect(world.operation(id).state).toBe('queued')
  world.clock.advance(2)
  await settled()
  expect(world.operation(id).state).toBe('expired')
})

it('a read says over which protocol it was answered', async () => {
  const world = createWorld()
  const { id } = await world.submit({ verb: 'get', paths: [A] })
  await world.room.contact(world.peer.contact('cwmp'))
  expect(world.operation(id)).toMatchObject({ sentVia: 'cwmp', attempts: 1 })
})

it('an operation whose parts ended differently is marked as partial', async () => {
  const world = createWorld()
  const end = async (...errors: (boolean | 'optional')[]) => {
    const operation = await world.submit(set(A, '1'))
    const results = errors.map((error, n) => ({
      path: `Device.X_${n}`,
      ...(error === false ? {} : { error: { code: '9007', text: 'no', retryable: false } }),
      ...(error === 'optional' ? { optional: true as const } : {}),
    }))
    const outcome = errors.includes(true) ? 'failed' : 'done'
    await world.room.contact({ ...world.peer.contact('cwmp'), execute: async () => ({ outcome, results }) })
    const { state, result } = world.operation(operation.id)
    return `${state} ${result?.partial ?? ''}`.trim()
  }
  expect(await end(false, false)).toBe('done')
  expect(await end(true, true)).toBe('failed')
  expect(await end(true, false)).toBe('failed true')
  expect(await end(false, 'optional')).toBe('done true')
})

describe('cancelling', () => {
  it('ends a queued operation, and none that was sent', async () => {
    const world = createWorld()
    const waiting = await world.submit(set(A, '1'))
    expect(await world.room.cancel(waiting.id, ACTOR)).toMatchObject({ state: 'cancelled' })
    await expect(world.room.cancel(waiting.id, ACTOR)).rejects.toMatchObject({ code: 'conflict' })
    await expect(world.room.cancel('none', ACTOR)).rejects.toMatchObject({ code: 'notFound' })
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.peer.effects).toEqual([])
    expect(world.stores.inside.audit.map(({ action, result }) => `${action} ${result}`)).toContain(
      'operation.cancel refused',
    )
  })

  it('keeps a driver from sending an operation that is cancelled in the last moment', async () => {
    const world = createWorld()
    const operation = await world.submit(set(A, '1'))
    const markSent = world.stores.operations.markSent
    world.stores.operations.markSent = async (id, sent) => {
      await world.room.cancel(id, ACTOR)
      return markSent(id, sent)
    }
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.peer.effects).toEqual([])
    expect(world.operation(operation.id).state).toBe('cancelled')
  })
})

describe('giving up', () => {
  it('ends an operation that waits for a completion, and no other, so that the queue continues', async () => {
    const world = createWorld()
    const reboot = await world.submit({ verb: 'reboot' })
    await expect(world.room.giveUp(reboot.id, ACTOR)).rejects.toMatchObject({ code: 'conflict' })
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(reboot.id)).toMatchObject({ state: 'sent', result: { outcome: 'pending' } })
    const next = await world.submit(set(A, '1'))
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(next.id).state).toBe('queued')
    expect(await world.room.giveUp(reboot.id, ACTOR)).toMatchObject({
      state: 'failed',
      result: { error: { code: 'givenUp', retryable: false } },
    })
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(next.id).state).toBe('done')
    await expect(world.room.giveUp(reboot.id, ACTOR)).rejects.toMatchObject({ code: 'conflict' })
    await expect(world.room.giveUp('none', ACTOR)).rejects.toMatchObject({ code: 'notFound' })
    const audited = world.stores.inside.audit.filter(({ action }) => action === 'operation.giveUp')
    expect(audited.map(({ result }) => result)).toEqual(['refused', 'ok', 'refused'])
  })
})

describe('a transport failure', () => {
  it('queues an operation that was not sent again, and fails it after some attempts', async () => {
    const world = createWorld({ device: { owner: 'usp' }, limits: { maxAttempts: 3 } })
    world.peer.troubles.push('unsent', 'unsent', undefined, 'unsent', 'unsent', 'unsent')
    world.room.contact(world.peer.contact('usp', { workKnown: false })).catch(() => undefined)
    expect(await world.ended(await world.submit(set(A, '1')))).toMatchObject({ state: 'done', attempts: 3 })
    const given = await world.ended(await world.submit(set(B, '1')))
    expect(given).toMatchObject({ state: 'failed', result: { error: { code: 'unreachable', retryable: true } } })
    expect(given.attempts).toBe(3)
    expect(world.peer.effects).toEqual([`set ${A}`])
  })

  it('counts how often a read was sent, before its end and after', async () => {
    const world = createWorld({ device: { owner: 'usp' }, limits: { maxAttempts: 3 } })
    const broken: Contact = {
      ...world.peer.contact('usp', { workKnown: false }),
      execute: () => Promise.reject(new TransportError('reset', 'connection reset')),
    }
    world.room.contact(broken).catch(() => undefined)
    const read = await world.submit({ verb: 'get', paths: [A] })
    await settled()
    expect(await world.room.get(read.id)).toMatchObject({ state: 'queued', attempts: 1 })
    const text = 'the device did not answer in 3 attempts, at last because connection reset'
    const result = { error: { code: 'unreachable', text, retryable: true } }
    expect(await world.ended(read)).toMatchObject({ state: 'failed', attempts: 3, result })
  })

  it('reconciles a set whose answer was lost before the next write', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    world.peer.values.set(A, '0')
    world.peer.troubles.push('lost', undefined, 'never')
    world.room.contact(world.peer.contact('usp', { workKnown: false })).catch(() => undefined)
    const lost = await world.submit(set(A, '1'))
    const next = await world.submit(set(B, '1'))
    expect(await world.ended(lost)).toMatchObject({ state: 'done', result: { results: [{ path: A, value: '1' }] } })
    expect((await world.ended(next)).state).toBe('done')
    expect(world.peer.log).toEqual(['set usp', 'get usp', 'set usp'])
    const never = await world.ended(await world.submit(set(A, '2')))
    expect(never).toMatchObject({ state: 'failed', result: { error: { code: 'notApplied', retryable: true } } })
    expect(world.peer.effects).toEqual([`set ${A}`, `set ${B}`])
  })

  it('reconciles in the next session an operation of an earlier one', async () => {
    const world = createWorld()
    world.peer.values.set(A, '0')
    world.peer.troubles.push('lost')
    const lost = await world.submit(set(A, '1'))
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(lost.id).state).toBe('unknown')
    expect(world.device().work.open).toBe(true)
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(lost.id).state).toBe('done')
    expect(world.peer.effects.length).toBe(1)
  })

  it('finds a command whose answer was lost among the Requests of the Agent, and waits for its end', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const first = new AbortController()
    world.peer.troubles.push('lost')
    world.room.contact(world.peer.contact('usp', { workKnown: false, signal: first.signal })).catch(() => undefined)
    const command = await world.submit({ verb: 'operate', command: 'Device.X_Install()', input: {} })
    await settled()
    expect(world.operation(command.id).state).toBe('unknown')
    first.abort()
    world.clock.advance(1000)
    const row = 'Device.LocalAgent.Request.1.CommandKey'
    world.peer.values.set(row, command.id)
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    await settled()
    // Long after the time limit of a command with an unknown outcome.
    for (let i = 0; i < 100; i++) {
      world.clock.advance(60_000)
      await world.room.recovery.endOverdue()
      await settled()
    }
    expect(world.operation(command.id)).toMatchObject({ state: 'unknown', result: { outcome: 'pending' } })
    const { deviceId } = world.peer
    const end = { deviceId, protocol: 'usp', kind: 'command', commandKey: command.id, at: world.clock.now() } as const
    await world.room.completed(end)
    expect(world.operation(command.id).state).toBe('done')
    expect(world.peer.effects).toEqual(['operate'])
  })

  it('ends the wait for a driver that does not answer', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const silent: Contact = {
      ...world.peer.contact('usp', { workKnown: false }),
      execute: async (_operation, hooks) => {
        await hooks.beforeSend()
        return new Promise(() => undefined)
      },
    }
    world.room.contact(silent).catch(() => undefined)
    const operation = await world.submit({ verb: 'operate', command: 'Device.X()', input: {} })
    await world.until(() => world.operation(operation.id).state === 'unknown', 70_000)
    await world.room.recovery.endOverdue()
    world.clock.advance(600_000)
    await settled()
    await world.room.recovery.endOverdue()
    expect(world.operation(operation.id)).toMatchObject({
      state: 'failed',
      result: { error: { code: 'outcomeUnknown', retryable: false } },
    })
  })

  it('ends reads that cannot be answered', async () => {
    const world = createWorld({ limits: { maxAttempts: 2 } })
    const broken: Contact = {
      ...world.peer.contact('usp', { workKnown: false }),
      execute: async () => Promise.reject(new TransportError('timeout', 'no answer')),
    }
    world.room.contact(broken).catch(() => undefined)
    const read = await world.ended(await world.submit({ verb: 'get', paths: [A] }))
    expect(read).toMatchObject({ state: 'failed', result: { error: { code: 'unreachable' } } })
  })
})

describe('recovery', () => {
  it('expires operations whose device was not in contact', async () => {
    const world = createWorld()
    const short = await world.submit(set(A, '1'), { expiresInMs: 200_000 })
    const long = await world.submit(set(A, '2'))
    world.clock.advance(200_001)
    expect(await world.room.recovery.expireQueued()).toBe(1)
    expect(await world.room.recovery.expireQueued()).toBe(0)
    expect(world.operation(short.id).state).toBe('expired')
    expect(world.operation(long.id).state).toBe('queued')
  })

  it('does not end a read that has started in time', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    let answer: () => void = () => undefined
    const inner = world.peer.contact('usp', { workKnown: false })
    const slow: Contact = {
      ...inner,
      execute: async (operation, hooks) => {
        await new Promise<void>((resolve) => (answer = resolve))
        return inner.execute(operation, hooks)
      },
    }
    world.peer.values.set(A, '1')
    world.room.contact(slow).catch(() => undefined)
    const read = await world.submit({ verb: 'get', paths: [A] }, { expiresInMs: 1000 })
    await settled()
    world.clock.advance(2000)
    expect(await world.room.recovery.expireQueued()).toBe(0)
    answer()
    expect((await world.ended(read)).state).toBe('done')
  })

  it('reaches the oldest operation in the end, also when very many are open', async () => {
    const world = createWorld({ limits: { lostTimeoutMs: 1000 } })
    const now = world.clock.now()
    for (let i = 0; i < 5200; i++) {
      const id = `op${String(i).padStart(5, '0')}`
      world.stores.inside.operations.set(id, {
        id,
        deviceId: world.peer.deviceId,
        request: set(A, '1'),
        state: 'unknown',
        actor: ACTOR,
        createdAt: now,
        expiresAt: now + 1,
        sentAt: i === 0 ? now - 2000 : now,
        attempts: 0,
      })
    }
    expect(await world.room.recovery.endOverdue()).toBe(0)
    expect(await world.room.recovery.endOverdue()).toBe(1)
    expect(world.operation('op00000').state).toBe('failed')
  })

  it('has a job for each', () => {
    const jobs = createWorld().room.recovery.jobs()
    expect(jobs.map(({ name }) => name)).toEqual(
      ['recoverOrphans', 'expireQueued', 'endOverdue', 'wakeWaiting', 'repairWorkFlags', 'auditOwed'].map(
        (name) => `operations.${name}`,
      ),
    )
  })
})

describe('limits', () => {
  it('bound the operations that run at once over all devices', async () => {
    const world = createWorld({ limits: { maxExecuting: 1 } })
    const loads: number[] = []
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    world.peer.aroundEffect = async (effect) => {
      loads.push(1)
      await gate
      effect()
    }
    const second = world.device()
    const otherId = `${second.id}2` as typeof second.id
    world.stores.inside.devices.set(otherId, { ...second, id: otherId })
    const first = await world.submit(set(A, '1'))
    const other = await world.submit(set(A, '1'), { deviceId: otherId })
    const sessions = [
      world.room.contact(world.peer.contact('cwmp')),
      world.room.contact({ ...world.peer.contact('cwmp'), deviceId: otherId }),
    ]
    await settled()
    expect(loads.length).toBe(1)
    open()
    await Promise.all(sessions)
    expect([first, other].map(({ id }) => world.operation(id).state)).toEqual(['done', 'done'])
  })
})

describe('stopping', () => {
  it('lets running operations end, begins no other and refuses new ones', async () => {
    const world = createWorld()
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    world.peer.aroundEffect = async (effect) => {
      await gate
      effect()
    }
    const first = await world.submit(set(A, '1'))
    const second = await world.submit(set(A, '2'))
    const session = world.room.contact(world.peer.contact('cwmp'))
    await settled()
    const stopped = world.room.stop()
    open()
    await Promise.all([stopped, session])
    expect([first, second].map(({ id }) => world.operation(id).state)).toEqual(['done', 'queued'])
    await expect(world.submit(set(A, '3'))).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('gives up after its limit; a sent operation is reconciled later', async () => {
    const world = createWorld()
    const silent: Contact = {
      ...world.peer.contact('cwmp'),
      execute: async (_operation, hooks) => {
        await hooks.beforeSend()
        return new Promise((_resolve, reject) => {
          hooks.signal.addEventListener('abort', () => reject(new TransportError('stopped', 'stopping')))
        })
      },
    }
    const operation = await world.submit(set(A, '1'))
    world.room.contact(silent).catch(() => undefined)
    await settled()
    let stopped = false
    world.room.stop().then(() => (stopped = true))
    await world.until(() => stopped, 15_000)
    expect(world.operation(operation.id).state).toBe('unknown')
  })
})

describe('an operation whose outcome could not be stored', () => {
  /** A store that fails for the next changes of operations. */
  const away = (world: ReturnType<typeof createWorld>) => {
    let down = true
    const refuse = () => Promise.reject(new AppError('unavailable', 'the database does not answer'))
    const { operations } = world.stores
    const stores = {
      ...world.stores,
      operations: {
        ...operations,
        markUnknown: (id: string) => (down ? refuse() : operations.markUnknown(id)),
        requeue: (id: string) => (down ? refuse() : operations.requeue(id)),
        finish: (...args: Parameters<typeof operations.finish>) => (down ? refuse() : operations.finish(...args)),
      },
    }
    return { stores, back: () => (down = false) }
  }

  it.each([
    ['lost', 'done'],
    ['never', 'failed'],
    ['unsent', 'failed'],
    [undefined, 'done'],
  ] as const)('ends on the instance that its device connects to next (%s: %s)', async (trouble, state) => {
    const world = createWorld({ device: { owner: 'usp' } })
    const { stores, back } = away(world)
    const first = createRoom(stores, world.clock, { instance: 'first' })
    await first.start()
    await stores.instances.beat('first', world.clock.now(), 1e12)
    const { id } = await world.submit(set(A, '1'))
    const link = new AbortController()
    world.peer.troubles.push(trouble)
    first.contact(world.peer.contact('usp', { signal: link.signal })).catch(() => undefined)
    await world.until(() => world.operation(id).state === 'sent', 1000)
    await settled()
    link.abort()
    back()
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    await world.room.start()
    await world.until(() => world.operation(id).finishedAt !== undefined, 60_000)
    expect(world.operation(id).state).toBe(state)
    expect(world.peer.effects).toEqual(trouble === 'never' || trouble === 'unsent' ? [] : [`set ${A}`])
    await Promise.all([first.stop(), world.room.stop()])
  })

  it('is not touched while it runs', async () => {
    const world = createWorld()
    let answer: () => void = () => undefined
    world.peer.aroundEffect = async (effect) => {
      await new Promise<void>((resolve) => (answer = resolve))
      effect()
    }
    await world.room.start()
    const { id } = await world.submit(set(A, '1'))
    world.room.contact(world.peer.contact('usp')).catch(() => undefined)
    world.room.contact(world.peer.contact('cwmp')).catch(() => undefined)
    await world.until(() => world.operation(id).state === 'sent', 1000)
    for (let i = 0; i < 5; i++) {
      world.clock.advance(10_000)
      await settled()
      expect(world.operation(id).state).toBe('sent')
    }
    answer()
    await world.until(() => world.operation(id).state === 'done', 1000)
    await world.room.stop()
  })
})
