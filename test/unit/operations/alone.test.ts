import { describe, expect, it } from 'vitest'
import type { DeviceId, Operation } from '../../../src/domain/index.ts'
import { Alone } from '../../../src/operations/alone.ts'
import { createWorld, set } from '../../support/operations-world.ts'

const operation: Operation = {
  id: 'o1',
  deviceId: '00256D-Box-1' as DeviceId,
  request: { verb: 'reboot' },
  state: 'queued',
  actor: { kind: 'apiKey', id: 'k' },
  createdAt: 0,
  expiresAt: 1,
  attempts: 0,
}
const at = (seq: number, open = true) => ({ work: { open, seq } })

describe('the only open operation of a device', () => {
  it('is known until another one was added, and once', () => {
    const alone = new Alone()
    alone.note(operation, 4)
    expect(alone.take(operation.deviceId)(at(4))).toBe(operation)
    expect(alone.take(operation.deviceId)(at(4))).toBeUndefined()
    alone.note(operation, 4)
    expect(alone.take(operation.deviceId)(at(5))).toBeUndefined()
    alone.note(operation, 4)
    expect(alone.take(operation.deviceId)(at(4, false))).toBeUndefined()
    alone.note(operation, 4)
    alone.drop(operation.deviceId)
    expect(alone.take(operation.deviceId)(at(4))).toBeUndefined()
  })

  it('runs without a read of the queue, which is read when two are asked for at once', async () => {
    const world = createWorld()
    let reads = 0
    const { open } = world.stores.operations
    world.stores.operations.open = (...args) => {
      reads++
      return open(...args)
    }
    world.room.contact(world.peer.contact('usp', { workKnown: false })).catch(() => undefined)
    await world.ended(await world.submit(set('Device.X_A', '1'), { via: 'usp', actor: { kind: 'planner', id: 'p' } }))
    expect(reads).toBe(0)
    const both = await Promise.all(
      ['2', '3'].map((value) =>
        world.submit(set('Device.X_A', value), { via: 'usp', actor: { kind: 'planner', id: 'p' } }),
      ),
    )
    for (const one of both) await world.ended(one)
    expect(reads).toBeGreaterThan(0)
    expect(world.peer.values.get('Device.X_A')).toBe('3')
    expect(world.device().work.open).toBe(false)
  })

  it('that was cancelled meanwhile is not sent', async () => {
    const world = createWorld()
    const queued = await world.submit(set('Device.X_A', '1'))
    Object.assign(world.operation(queued.id), { state: 'cancelled', finishedAt: 1 })
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.peer.effects).toEqual([])
    expect(world.operation(queued.id).state).toBe('cancelled')
  })
})
