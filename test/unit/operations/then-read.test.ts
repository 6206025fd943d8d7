import { describe, expect, it } from 'vitest'
import { createWorld, set } from '../../support/operations-world.ts'

const PLANNER = { actor: { kind: 'planner', id: 'p1' }, thenRead: ['Device.X_A', 'Device.X_B'] } as const
const asked = { ...PLANNER, thenRead: [...PLANNER.thenRead] }

describe('values that are read right after an operation', () => {
  it('are in its result and in the record, whatever was written', async () => {
    const world = createWorld()
    world.peer.values.set('Device.X_B', 'b')
    // The device accepts the value and keeps another one.
    world.peer.aroundEffect = async (effect) => {
      effect()
      world.peer.values.set('Device.X_A', 'other')
    }
    const operation = await world.submit(set('Device.X_A', 'new'), asked)
    world.room.contact(world.peer.contact('cwmp')).catch(() => undefined)
    const { state, result } = await world.ended(operation)
    expect(state).toBe('done')
    expect(result?.read).toEqual([
      { path: 'Device.X_A', value: 'other' },
      { path: 'Device.X_B', value: 'b' },
    ])
    const stored = await world.stores.parameters.getMany(world.device().id, ['Device.X_A', 'Device.X_B'])
    expect(stored.map(({ value }) => value)).toEqual(['other', 'b'])
    expect(world.peer.log).toEqual(['set cwmp', 'get cwmp'])
  })

  it('are absent when the contact ends before they are read: the operation is done, and is not sent again', async () => {
    const world = createWorld()
    const session = new AbortController()
    const contact = world.peer.contact('cwmp', { signal: session.signal })
    const operation = await world.submit(set('Device.X_A', 'new'), asked)
    const run = contact.execute
    const execute: typeof run = (one, hooks) => {
      if (one.request.verb !== 'get') return run(one, hooks)
      session.abort(new Error('the session is over'))
      return Promise.reject(new Error('the session is over'))
    }
    world.room.contact({ ...contact, execute }).catch(() => undefined)
    const { state, result, attempts } = await world.ended(operation)
    expect({ state, attempts, read: result?.read }).toEqual({ state: 'done', attempts: 1, read: undefined })
    expect(world.peer.effects).toEqual(['set Device.X_A'])
  })

  it('are not read after a refusal', async () => {
    const world = createWorld()
    world.peer.troubles.push('refused')
    const operation = await world.submit(set('Device.X_A', 'new'), asked)
    world.room.contact(world.peer.contact('cwmp')).catch(() => undefined)
    expect((await world.ended(operation)).state).toBe('failed')
    expect(world.peer.log).toEqual(['set cwmp'])
  })

  it('are masked where they are secrets', async () => {
    const world = createWorld()
    const path = 'Device.ManagementServer.Password'
    world.peer.values.set(path, 'hidden')
    const operation = await world.submit(set('Device.X_A', 'new'), { ...asked, thenRead: [path] })
    world.room.contact(world.peer.contact('cwmp')).catch(() => undefined)
    const { result } = await world.ended(operation)
    expect(JSON.stringify(result)).not.toContain('hidden')
    expect(result?.read?.map((outcome) => outcome.path)).toEqual([path])
  })
})
