import { describe, expect, it } from 'vitest'
import type { Contact, DeviceChange, Driver, WakeOutcome } from '../../../src/domain/index.ts'
import { settled } from '../../support/manual-clock.ts'
import { ACTOR, createWorld, set } from '../../support/operations-world.ts'

const A = 'Device.X_A'
const B = 'Device.X_B'

describe('over a CWMP session', () => {
  it('runs the waiting operations in order, and then the session ends', async () => {
    const { room, peer, submit, operation, device } = createWorld()
    const first = await submit(set(A, '1'))
    const second = await submit(set(B, '2'))
    const third = await submit(set(A, '3'))
    await room.contact(peer.contact('cwmp'))
    expect(peer.effects).toEqual([`set ${A}`, `set ${B}`, `set ${A}`])
    expect([first, second, third].map(({ id }) => operation(id).state)).toEqual(['done', 'done', 'done'])
    expect(operation(first.id)).toMatchObject({
      sentVia: 'cwmp',
      instance: 'a',
      result: { results: [{ path: A, value: '1' }] },
    })
    expect(device().work.open).toBe(false)
  })

  it('asks no store when neither the record nor this process knows of work', async () => {
    const world = createWorld()
    let asked = 0
    const get = world.stores.devices.get
    world.stores.devices.get = (id) => {
      asked++
      return get(id)
    }
    await world.room.contact(world.peer.contact('cwmp', { workKnown: false }))
    expect(asked).toBe(0)
  })

  it('knows of an operation that was stored after the record was read', async () => {
    const { room, peer, submit, operation } = createWorld()
    expect(room.hasNews(peer.deviceId)).toBe(false)
    const waiting = await submit(set(A, '1'))
    expect(room.hasNews(peer.deviceId)).toBe(true)
    await room.contact(peer.contact('cwmp', { workKnown: false }))
    expect(operation(waiting.id).state).toBe('done')
    expect(room.hasNews(peer.deviceId)).toBe(false)
  })

  it('runs operations that are submitted during the session', async () => {
    const { room, peer, submit, operation } = createWorld()
    const first = await submit(set(A, '1'))
    let second = ''
    room.onFinished(({ id }) => {
      if (id === first.id) submit(set(B, '2')).then((added) => (second = added.id))
    })
    await room.contact(peer.contact('cwmp'))
    await settled()
    await room.contact(peer.contact('cwmp', { workKnown: false }))
    expect(operation(second).state).toBe('done')
  })

  it.each([
    ['with the end of the operation before it', set(A, '1')],
    ['by itself, after a reboot that was accepted', { verb: 'reboot' } as const],
  ])('keeps the work flag when work was added while it was being cleared %s', async (_how, request) => {
    const world = createWorld()
    const first = await world.submit(request)
    const { devices, operations } = world.stores
    const { commit } = devices
    const { finish } = operations
    let late: Promise<unknown> | undefined
    const addLate = async (change: DeviceChange | undefined) => {
      if (change?.set?.['work.open'] !== false || late !== undefined) return
      late = world.submit(set(B, '2'))
      await late
    }
    devices.commit = async (change) => {
      await addLate(change)
      return commit(change)
    }
    operations.finish = async (id, from, ending) => {
      await addLate(ending.change)
      return finish(id, from, ending)
    }
    await world.room.contact(world.peer.contact('cwmp'))
    if (request.verb === 'reboot') {
      const { deviceId } = world.peer
      await world.room.completed({ deviceId, protocol: 'cwmp', kind: 'boot', commandKey: '', at: world.clock.now() })
      expect(world.operation(first.id).state).toBe('done')
      await world.room.contact(world.peer.contact('cwmp'))
    }
    expect(late).toBeDefined()
    expect(world.peer.effects).toEqual([request.verb === 'reboot' ? 'reboot' : `set ${A}`, `set ${B}`])
    expect(world.device().work.open).toBe(false)
  })

  it('does not hold a session for long while the device is busy over the other protocol', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    let go: () => void = () => undefined
    world.peer.aroundEffect = async (effect) => {
      await new Promise<void>((resolve) => (go = resolve))
      effect()
    }
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
    const running = await world.submit(set(A, '1'))
    await settled()
    let ended = false
    const session = world.room.contact(world.peer.contact('cwmp')).then(() => (ended = true))
    await settled()
    expect(ended).toBe(false)
    world.clock.advance(10_000)
    await session
    expect(world.operation(running.id).state).toBe('sent')
    go()
    expect((await world.ended(running)).state).toBe('done')
    link.abort()
    await linked
  })
})

describe('the types that a CPE reported', () => {
  it('are given to the CWMP driver, also for other rows of the same table', async () => {
    const world = createWorld()
    const row = 'Device.X_ACME_Row.1.On'
    await world.stores.devices.commit({
      deviceId: world.peer.deviceId,
      parameters: [
        { path: row, value: '1', type: 'boolean', source: 'cwmp', collectedAt: 1 },
        { path: A, value: '1', type: 'int', source: 'usp', collectedAt: 1 },
      ],
    })
    const reported: (string | undefined)[] = []
    const inner = world.peer.contact('cwmp')
    const contact: Contact = {
      ...inner,
      execute: (operation, hooks) => {
        reported.push(hooks.typeOf?.('Device.X_ACME_Row.7.On'))
        return inner.execute(operation, hooks)
      },
    }
    await world.submit(set(row, '0'))
    await world.submit({ verb: 'add', object: 'Device.X_ACME_Row.', values: { On: '1' } })
    await world.submit(set(A, '2'))
    await world.room.contact(contact)
    expect(reported).toEqual(['boolean', 'boolean', undefined])
  })
})

describe('over a USP link', () => {
  it('runs a submitted operation at once, until the link ends', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const link = new AbortController()
    let over = false
    const contact = world.room
      .contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
      .then(() => (over = true))
    expect((await world.ended(await world.submit(set(A, '1')))).state).toBe('done')
    expect((await world.ended(await world.submit(set(A, '2')))).sentVia).toBe('usp')
    expect(over).toBe(false)
    link.abort()
    await contact
    const late = await world.submit(set(A, '3'))
    await settled()
    expect(world.operation(late.id).state).toBe('queued')
  })

  it('finds operations that another instance stored, by the check of links', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const link = new AbortController()
    const contact = world.room.contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
    await world.room.start()
    await world.stores.operations.create({
      id: 'elsewhere',
      deviceId: world.peer.deviceId,
      request: set(A, '1'),
      state: 'queued',
      actor: ACTOR,
      createdAt: world.clock.now(),
      expiresAt: world.clock.now() + 60_000,
      attempts: 0,
    })
    await world.until(() => world.operation('elsewhere').state === 'done', 10_000)
    link.abort()
    await contact
    await world.room.stop()
  })
})

describe('two protocols', () => {
  it('writes over the owner only, reads over either', async () => {
    const world = createWorld()
    world.peer.values.set(A, '0')
    const read = await world.submit({ verb: 'get', paths: [A] })
    const write = await world.submit(set(A, '1'))
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal }))
    await settled()
    expect(world.operation(read.id)).toMatchObject({ state: 'done', result: { results: [{ path: A, value: '0' }] } })
    expect(world.operation(write.id).state).toBe('queued')
    await world.room.contact(world.peer.contact('cwmp'))
    expect(world.operation(write.id)).toMatchObject({ state: 'done', sentVia: 'cwmp' })
    link.abort()
    await linked
  })

  it('holds nothing back for an operation over the protocol that does not own the device', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const planner = { kind: 'planner', id: 'p' } as const
    const tied = await world.submit({ verb: 'get', paths: [A] }, { via: 'cwmp' })
    const first = await world.submit(set(A, '1'))
    const forced = await world.submit(set(B, '1'), { via: 'cwmp', actor: planner })
    const last = await world.submit(set(A, '2'))
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal }))
    await settled()
    expect([tied, first, forced, last].map(({ id }) => world.operation(id).state)).toEqual([
      'queued',
      'done',
      'queued',
      'done',
    ])
    await world.room.contact(world.peer.contact('cwmp'))
    await settled()
    expect(world.peer.effects).toEqual([`set ${A}`, `set ${A}`, `set ${B}`])
    expect(world.operation(forced.id).sentVia).toBe('cwmp')
    expect(world.operation(last.id).sentVia).toBe('usp')
    expect(world.operation(tied.id).state).toBe('done')
    link.abort()
    await linked
  })

  it('holds later operations behind a write that waits for the owner', async () => {
    const world = createWorld({ device: { owner: 'cwmp' } })
    const planner = { kind: 'planner', id: 'p' } as const
    await world.submit(set(A, '1'))
    const last = await world.submit(set(B, '1'), { via: 'usp', actor: planner })
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal }))
    await settled()
    expect(world.operation(last.id).state).toBe('queued')
    await world.room.contact(world.peer.contact('cwmp'))
    await settled()
    expect(world.peer.effects).toEqual([`set ${A}`, `set ${B}`])
    link.abort()
    await linked
  })

  it('runs an exclusive operation alone until the boot that ends it', async () => {
    const world = createWorld()
    const reboot = await world.submit({ verb: 'reboot' })
    const after = await world.submit(set(A, '1'))
    await world.room.contact(world.peer.contact('cwmp'))
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal }))
    const read = await world.submit({ verb: 'get', paths: [A] })
    await settled()
    expect(world.peer.log).toEqual(['reboot cwmp'])
    expect(world.operation(reboot.id)).toMatchObject({ state: 'sent', result: { outcome: 'pending' } })
    world.clock.advance(30_000)
    const boot = {
      deviceId: world.peer.deviceId,
      kind: 'boot',
      protocol: 'cwmp',
      commandKey: '',
      at: world.clock.now(),
    } as const
    await world.room.completed(boot)
    await world.room.completed(boot)
    expect(world.operation(reboot.id).state).toBe('done')
    await world.room.contact(world.peer.contact('cwmp'))
    await settled()
    expect(world.operation(after.id).state).toBe('done')
    expect(world.operation(read.id).state).toBe('done')
    link.abort()
    await linked
  })

  it('reads over a link that stays although a reboot was accepted, without waiting for its end', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    world.peer.values.set(A, '1')
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
    await world.room.start()
    const reboot = await world.submit({ verb: 'reboot' })
    const read = await world.submit({ verb: 'get', paths: [A] })
    await settled()
    expect(world.operation(read.id).state).toBe('queued')
    await world.until(() => world.operation(read.id).state === 'done', 40_000)
    expect(world.operation(reboot.id).state).toBe('sent')
    link.abort()
    await linked
    await world.room.stop()
  })

  it('holds exclusive operations, and no others, while a command runs', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
    const command = await world.submit({ verb: 'operate', command: 'Device.X_Scan()', input: {} })
    const write = await world.submit(set(A, '1'))
    const reboot = await world.submit({ verb: 'reboot' })
    await settled()
    expect(world.peer.effects).toEqual(['operate', `set ${A}`])
    expect(world.operation(write.id).state).toBe('done')
    await world.room.completed({
      deviceId: world.peer.deviceId,
      protocol: 'usp',
      kind: 'command',
      commandKey: command.id,
      output: { Found: '3' },
      at: world.clock.now(),
    })
    await settled()
    expect(world.operation(command.id)).toMatchObject({ state: 'done', result: { output: { Found: '3' } } })
    expect(world.operation(reboot.id).state).toBe('sent')
    link.abort()
    await linked
  })
})

describe('asking absent devices to connect', () => {
  const driver = (outcomes: WakeOutcome[], asked: string[]): Driver => ({
    protocol: 'cwmp',
    wake: async ({ id }) => {
      asked.push(id)
      return outcomes.shift() ?? 'ok'
    },
  })

  it('wakes over the owner, again after a temporary refusal, once per device', async () => {
    const world = createWorld()
    const asked: string[] = []
    world.room.setDrivers([driver(['unreachable', 'tooSoon'], asked)])
    await world.submit(set(A, '1'))
    await world.submit(set(A, '2'))
    await settled()
    expect(asked.length).toBe(1)
    await world.until(() => asked.length === 3)
    world.clock.advance(600_000)
    await settled()
    expect(asked.length).toBe(3)
  })

  it('uses the present address of the device at each attempt', async () => {
    const world = createWorld({
      device: { cwmp: { lastInformAt: 1, events: [], version: '1.2', connectionRequestUrl: 'old' } },
    })
    const asked: (string | undefined)[] = []
    const wake: Driver['wake'] = async ({ cwmp }) => {
      asked.push(cwmp?.connectionRequestUrl)
      return 'unreachable'
    }
    world.room.setDrivers([{ protocol: 'cwmp', wake }])
    await world.submit(set(A, '1'))
    await settled()
    await world.stores.devices.commit({ deviceId: world.peer.deviceId, set: { 'cwmp.connectionRequestUrl': 'new' } })
    await world.until(() => asked.length === 2)
    expect(asked).toEqual(['old', 'new'])
    await world.until(() => asked.length === 4)
    // A new operation restarts the series, without a burst of attempts.
    const before = world.clock.now()
    await world.submit(set(A, '2'))
    await world.submit(set(A, '3'))
    await world.until(() => asked.length === 5)
    expect(world.clock.now() - before).toBeLessThanOrEqual(2000)
    world.clock.advance(600_000)
    await world.until(() => asked.length >= 8)
    await world.room.contact(world.peer.contact('cwmp'))
    const count = asked.length
    world.clock.advance(600_000)
    await settled()
    expect(asked.length).toBe(count)
  })

  it('does not wake for a read that a link here can answer', async () => {
    const world = createWorld()
    const asked: string[] = []
    world.room.setDrivers([driver([], asked)])
    const link = new AbortController()
    const linked = world.room.contact(world.peer.contact('usp', { signal: link.signal, workKnown: false }))
    await world.ended(await world.submit({ verb: 'get', paths: [A] }))
    expect(asked).toEqual([])
    link.abort()
    await linked
  })

  it('wakes after a restart of the server for operations from before', async () => {
    const world = createWorld()
    await world.submit(set(A, '1'))
    const asked: string[] = []
    world.room.setDrivers([driver([], asked)])
    await world.room.start()
    await world.until(() => asked.length === 1, 1000)
    await world.room.stop()
  })
})
