import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Completion, type Device, deviceIdOf, type EndpointId, newDevice } from '../../src/domain/index.ts'
import { type Notify, requestMsg, responseMsg } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { type RawAgent, type RequestOf, values } from '../support/raw-agent.ts'
import { until } from '../support/until.ts'
import { startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const EID = 'os::00256D-S1'
const ID = deviceIdOf(IDENTITY)
const CODE = 'Device.DeviceInfo.ProvisioningCode'

let world: TestController
beforeEach(async () => {
  world = await startController()
})
afterEach(async () => {
  await world.stop()
  vi.useRealTimers()
})

const device = (id = ID): Device | undefined => world.stores.inside.devices.get(id)
const eventTypes = () => world.stores.inside.events.map(({ type }) => type)
const stored = (path: string) => world.stores.inside.parameters.get(`${ID}|${path}`)?.value

/** An Agent that is joined to its device and onboarded. */
async function joined(): Promise<RawAgent> {
  const agent = await world.connect(EID)
  agent.serve(IDENTITY)
  agent.hello()
  await world.contact()
  return agent
}

describe('an Agent that arrives', () => {
  it('is asked who it is after its connect record, bound, onboarded and offered to operations', async () => {
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    agent.hello()
    const contact = await world.contact()
    expect(contact).toMatchObject({ deviceId: ID, protocol: 'usp', lasting: true })
    expect(device()).toMatchObject({
      binding: { endpointId: EID, proof: 'triple' },
      owner: 'usp',
      softwareVersion: '1.0',
      usp: { linked: true, instance: 'test', versions: '1.4', onboardedFor: '1.0' },
    })
    const asked = agent.inbox.flatMap((msg) => (msg.kind === 'request' ? [msg.name] : []))
    expect(asked.slice(0, 3)).toEqual(['get', 'get_supported_protocol', 'get_supported_dm'])
    expect(eventTypes()).toEqual(expect.arrayContaining(['device.registered', 'device.bound', 'device.connected']))
  })

  it('has its OnBoardRequest answered, with its msg_id and the empty subscription_id, once it is stored', async () => {
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    agent.onBoard(IDENTITY, 'board-1')
    const answer = await agent.takeReply('board-1')
    expect(answer).toEqual(responseMsg('board-1', 'notify_resp', { subscription_id: '' }))
    expect(device()?.binding?.endpointId).toBe(EID)
  })

  it('may repeat its OnBoardRequest: each is answered, nothing is done twice', async () => {
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    for (const msgId of ['b1', 'b1', 'b2']) await agent.takeReply(agent.onBoard(IDENTITY, msgId))
    expect(agent.notifyResps).toEqual(['b1', 'b1', 'b2'])
    expect(eventTypes().filter((type) => type === 'device.registered' || type === 'device.connected')).toHaveLength(2)
    expect(world.stores.inside.devices.size).toBe(1)
    expect(world.conflicts).toEqual([])
  })

  it('need not send a connect record, as Agents of the first versions do not', async () => {
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    const msgId = agent.notify({
      subscription_id: 's',
      send_resp: true,
      value_change: { param_path: CODE, param_value: 'x' },
    })
    await agent.takeReply(msgId)
    expect(stored(CODE)).toBe('x')
  })

  it('that says nothing at all is asked for a sign of life, and joined when it gives one', async () => {
    await world.stop()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    world = await startController()
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    await agent.heard()
    vi.advanceTimersByTime(30_000)
    await world.contact()
    expect(device()?.usp?.linked).toBe(true)
  })

  it.each([
    ['does not answer', EID],
    ['names no Endpoint ID', ''],
  ])('that says nothing and %s gives its place to others', async (_name, eid) => {
    await world.stop()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    world = await startController()
    const agent = await world.connect(eid)
    const end = agent.closed()
    for (let round = 0; round < 3; round++) {
      const ping = once(agent.socket, 'ping')
      world.clock.advance(30_000)
      vi.advanceTimersByTime(30_000)
      await ping
      await settled()
    }
    expect(await end).toBe(1008)
    expect(world.stores.inside.devices.size).toBe(0)
  })

  it('comes again when it could not be joined, as when the database is away', async () => {
    world.beforeCommit(() => Promise.reject(new Error('no database')))
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    const end = agent.closed()
    agent.hello()
    expect(await end).toBe(1013)
    world.beforeCommit(() => undefined)
    await joined()
  })

  it('is turned away with the reason when the identity it claims can be none', async () => {
    const agent = await world.connect(EID)
    const end = agent.closed()
    agent.onBoard({ ...IDENTITY, oui: 'nonsense' })
    expect(await end).toBe(1008)
    expect(agent.notifyResps).toEqual([])
  })

  it('need not say its Endpoint ID in the handshake: the first Record tells it, and it stays', async () => {
    const agent = await world.connect('', EID)
    agent.serve(IDENTITY)
    agent.hello()
    await world.contact()
    expect(device()?.binding?.endpointId).toBe(EID)
    agent.send(requestMsg('x', 'register', { allow_partial: false, reg_paths: [] }), { fromId: 'os::00256D-S2' })
    await agent.heard()
    expect(agent.inbox.some(({ msgId }) => msgId === 'x')).toBe(false)
  })

  it('joins the record that the device has from CWMP', async () => {
    world.stores.inside.devices.set(ID, { ...newDevice(ID, IDENTITY, 'cwmp', 1), tags: ['kept'] })
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    agent.onBoard(IDENTITY)
    await world.contact()
    expect(device()).toMatchObject({ owner: 'cwmp', tags: ['kept'], binding: { endpointId: EID } })
    expect(world.stores.inside.devices.size).toBe(1)
  })

  it('is noted as gone when its link ends', async () => {
    const agent = await joined()
    agent.socket.close()
    await agent.closed()
    await vi.waitUntil(() => device()?.usp?.linked === false, 60_000)
    expect(eventTypes()).toContain('device.disconnected')
  })

  it('loses its link when its device is bound to another Endpoint ID that comes', async () => {
    const former = await joined()
    const end = former.closed()
    const binding = { endpointId: 'proto::anew' as EndpointId, proof: 'operator' as const, at: 2 }
    world.stores.inside.devices.set(ID, { ...(device() as Device), binding })
    const anew = await world.connect('proto::anew')
    anew.serve(IDENTITY)
    anew.hello()
    expect(await end).toBe(1008)
    await world.contact()
    await settled()
    expect(device()?.usp?.linked).toBe(true)
  })

  it('stays linked when it comes anew before its old link is known to be dead', async () => {
    const old = await joined()
    const end = old.closed()
    old.answer = () => undefined
    const coming = world.connect(EID)
    await old.takeRequest('get')
    world.clock.advance(3000)
    const anew = await coming
    anew.serve(IDENTITY)
    anew.hello()
    expect(await end).toBe(1008)
    await world.contact()
    await settled()
    expect(device()?.usp?.linked).toBe(true)
    expect(await world.controller.driver.wake(device() as Device)).toBe('alreadyHere')
  })
})

describe('a Notify', () => {
  const change = (param_value: string, send_resp = true): Notify => ({
    subscription_id: 'isthmus-value',
    send_resp,
    value_change: { param_path: CODE, param_value },
  })

  it('is committed before it is acknowledged', async () => {
    const agent = await joined()
    let release = (): void => undefined
    const reached = new Promise<void>((resolve) => {
      world.beforeCommit(() => {
        resolve()
        return new Promise((go) => {
          release = go
        })
      })
    })
    const msgId = agent.notify(change('slow'))
    await reached
    await agent.heard()
    expect(agent.notifyResps).toEqual([])
    expect(stored(CODE)).toBeUndefined()
    release()
    expect(await agent.takeReply(msgId)).toEqual(
      responseMsg(msgId, 'notify_resp', { subscription_id: 'isthmus-value' }),
    )
    expect(stored(CODE)).toBe('slow')
  })

  it('is not acknowledged when it could not be stored, and is taken when it comes again', async () => {
    const agent = await joined()
    const failed = new Promise<void>((resolve) => {
      world.beforeCommit(() => {
        resolve()
        return Promise.reject(new Error('the disk is full'))
      })
    })
    const msgId = agent.notify(change('v'))
    await failed
    await settled()
    await agent.heard()
    expect(agent.notifyResps).toEqual([])
    world.beforeCommit(() => undefined)
    agent.notify(change('v'), msgId)
    await agent.takeReply(msgId)
    expect(agent.notifyResps).toEqual([msgId])
    expect(stored(CODE)).toBe('v')
  })

  it('that is repeated is acknowledged again and changes nothing more', async () => {
    const agent = await joined()
    for (const msgId of ['n1', 'n1', 'n2']) await agent.takeReply(agent.notify(change('same'), msgId))
    expect(agent.notifyResps).toEqual(['n1', 'n1', 'n2'])
    expect(stored(CODE)).toBe('same')
    expect(world.stores.inside.devices.size).toBe(1)
    expect(eventTypes().filter((type) => type === 'parameter.changed')).toHaveLength(1)
  })

  it('that is repeated over a new link is told once; a value that comes back is told again', async () => {
    const agent = await joined()
    await agent.takeReply(agent.notify(change('A')))
    agent.socket.terminate()
    const anew = await joined()
    for (const value of ['A', 'B', 'A']) await anew.takeReply(anew.notify(change(value)))
    const told = world.stores.inside.events.flatMap(({ type, data }) =>
      type === 'parameter.changed' ? [data.value] : [],
    )
    expect(told).toEqual(['A', 'B', 'A'])
    expect(stored(CODE)).toBe('A')
  })

  it.each([
    [
      'Boot!',
      { event: { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'RemoteReboot' } } },
      'device.booted',
    ],
    ['a row that came', { obj_creation: { obj_path: 'Device.IP.Interface.3.', unique_keys: {} } }, 'object.created'],
    ['a row that went', { obj_deletion: { obj_path: 'Device.IP.Interface.3.' } }, 'object.deleted'],
    [
      'a command that ended',
      {
        oper_complete: {
          obj_path: 'Device.',
          command_name: 'X()',
          command_key: 'k',
          req_output_args: { output_args: {} },
        },
      },
      'device.notified',
    ],
  ])('of %s tells it once, however often it comes', async (_name, about, type) => {
    const agent = await joined()
    const notify: Notify = { subscription_id: 's', send_resp: true, ...about }
    for (let i = 0; i < 3; i++) await agent.takeReply(agent.notify(notify, 'same'))
    expect(agent.notifyResps).toEqual(['same', 'same', 'same'])
    expect(eventTypes().filter((one) => one === type)).toHaveLength(1)
    expect(world.completions.filter(({ kind }) => kind === 'boot')).toHaveLength(type === 'device.booted' ? 1 : 0)
  })

  const created = (keys: Record<string, string>): Notify => ({
    subscription_id: 's',
    send_resp: true,
    obj_creation: { obj_path: 'Device.IP.Interface.3.', unique_keys: keys },
  })
  const ended = (end: Partial<NonNullable<Notify['oper_complete']>>): Notify => ({
    subscription_id: 's',
    send_resp: true,
    oper_complete: { obj_path: 'Device.', command_name: 'X()', command_key: 'daily', ...end },
  })
  const times = (type: string) => eventTypes().filter((one) => one === type).length

  it('of another row under the same number is told, and that row is read', async () => {
    const agent = await joined()
    const rows = () =>
      agent.inbox.filter((msg) => msg.kind === 'request' && JSON.stringify(msg.body).includes('Interface.3.')).length
    await agent.takeReply(agent.notify(created({ Alias: 'A', Name: 'n' })))
    await until(() => rows() === 1)
    await agent.takeReply(agent.notify(created({ Alias: 'B', Name: 'n' })))
    await until(() => rows() === 2)
    expect(times('object.created')).toBe(2)
  })

  it('of a row or a command that is the same once more is told again, unless it may be a repetition', async () => {
    const agent = await joined()
    const output = ended({ req_output_args: { output_args: { Run: '1' } } })
    const tell = async (one: RawAgent, change: Partial<Notify> = {}, msgId?: string) => {
      for (const [n, notify] of [created({}), output].entries())
        await one.takeReply(one.notify({ ...notify, ...change }, msgId === undefined ? undefined : msgId + n))
      return [times('object.created'), times('device.notified')]
    }
    expect(await tell(agent, {}, 'a')).toEqual([1, 1])
    expect(await tell(agent, {}, 'a')).toEqual([1, 1])
    expect(await tell(agent, { subscription_id: 'other' })).toEqual([1, 1])
    expect(await tell(agent, {}, 'b')).toEqual([2, 2])
    agent.socket.terminate()
    const anew = await joined()
    expect(await tell(anew)).toEqual([2, 2])
    anew.socket.terminate()
    await vi.waitUntil(() => device()?.usp?.linked === false, 60_000)
    world.clock.advance(130_000)
    expect(await tell(await joined())).toEqual([3, 3])
  })

  it('of one end of a command with the names of its output in another order is told once', async () => {
    const agent = await joined()
    for (const [msgId, output_args] of [
      ['a', { A: '1', B: '2' }],
      ['a', { B: '2', A: '1' }],
    ] as const)
      await agent.takeReply(agent.notify(ended({ req_output_args: { output_args } }), msgId))
    expect(times('device.notified')).toBe(1)
  })

  it('of another end of the same command never overtakes the first one', async () => {
    const agent = await joined()
    let release = (): void => undefined
    const first = new Promise<void>((resolve) => {
      release = resolve
    })
    const notes = (change: { events?: { type: string }[] }) =>
      change.events?.some(({ type }) => type === 'device.notified') === true
    let held = 0
    world.beforeCommit((change) => (notes(change) && held++ === 0 ? first : undefined))
    const cmd_failure = { err_code: 7023, err_msg: 'cancelled' }
    const failed = agent.notify(ended({ cmd_failure }))
    const done = agent.notify(ended({ req_output_args: { output_args: { R: '2' } } }))
    await agent.heard()
    await settled()
    expect(world.completions).toEqual([])
    release()
    await agent.takeReply(failed)
    await agent.takeReply(done)
    expect(world.completions.map(({ fault, output }) => fault?.code ?? output)).toEqual(['7023', { R: '2' }])
  })

  it('of one boot that two subscriptions tell of is told once', async () => {
    const agent = await joined()
    const event = { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'LocalReboot' } }
    for (const subscription_id of ['isthmus-boot', 'mine'])
      await agent.takeReply(agent.notify({ subscription_id, send_resp: true, event }))
    expect(eventTypes().filter((type) => type === 'device.booted')).toHaveLength(1)
    expect(world.completions).toHaveLength(1)
  })

  it('of a second boot is told, though its msg_id and words are those of the first', async () => {
    const event = { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'LocalReboot' } }
    for (let boot = 0; boot < 2; boot++) {
      const agent = await joined()
      await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, event }, 'a1'))
      agent.socket.terminate()
    }
    expect(eventTypes().filter((type) => type === 'device.booted')).toHaveLength(2)
    expect(world.completions).toHaveLength(2)
  })

  it('that comes again while it is worked on is not begun again', async () => {
    const agent = await joined()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const before = world.commits.length
    world.beforeCommit(() => held)
    agent.notify(change('once'), 'twice')
    agent.notify(change('once'), 'twice')
    await agent.heard()
    expect(world.commits).toHaveLength(before + 1)
    release()
    await agent.takeReply('twice')
    await agent.heard()
    expect(agent.notifyResps).toEqual(['twice'])
  })

  describe('of very many at once', () => {
    const held = () => {
      let release = (): void => undefined
      const until = new Promise<void>((resolve) => {
        release = resolve
      })
      world.beforeCommit(() => until)
      return release
    }

    it('is stored and acknowledged as all others are, in the order in which they came', async () => {
      const agent = await joined()
      const before = world.commits.length
      const release = held()
      const ids = Array.from({ length: 1000 }, (_, i) => agent.notify(change(String(i)), `m${i}`))
      await until(() => world.commits.length === before + 256)
      release()
      await agent.takeReply('m999')
      expect(agent.notifyResps).toEqual(ids)
      expect(stored(CODE)).toBe('999')
    })

    it('waits in the connection when more came than is worked on, and the link stands', async () => {
      const agent = await joined()
      const before = world.commits.length
      const release = held()
      const bulk = 'x'.repeat(100_000)
      for (let i = 0; i < 256; i++) agent.notify(change(String(i)), `m${i}`)
      for (let i = 256; i < 400; i++) agent.notify(change(bulk), `m${i}`)
      await until(() => world.commits.length === before + 256)
      // Records that are not read fill the buffers of both sides.
      await until(() => agent.socket.bufferedAmount > 0)
      await settled()
      expect(world.commits.length).toBe(before + 256)
      release()
      await agent.takeReply('m399')
      expect(agent.notifyResps).toHaveLength(400)
    })

    it('does not hold up the answer to a request', async () => {
      const agent = await joined()
      const before = world.commits.length
      const release = held()
      const ids = Array.from({ length: 300 }, (_, i) => agent.notify(change(String(i)), `m${i}`))
      await until(() => world.commits.length === before + 256)
      expect(await world.controller.links.ask(ID)).toBe('answered')
      release()
      await agent.takeReply('m299')
      expect(agent.notifyResps).toEqual(ids)
    })

    it('is taken when it is the first that an Agent sends', async () => {
      const agent = await world.connect(EID)
      agent.serve(IDENTITY)
      const ids = Array.from({ length: 1000 }, (_, i) => agent.notify(change(String(i)), `m${i}`))
      await agent.takeReply('m999')
      expect(agent.notifyResps).toEqual(ids)
    })
  })

  it.each([
    ['no path', 'Device.A..B', 'x'],
    ['another root', '$where.X', 'x'],
    ['an object', 'Device.DeviceInfo.', 'x'],
    ['an endless path', `Device.${'A.'.repeat(1000)}B`, 'x'],
    ['an endless value', CODE, 'x'.repeat(300 * 1024)],
  ])('of %s is acknowledged, so that it ends, and not kept', async (_name, param_path, param_value) => {
    const agent = await joined()
    const parameters = world.stores.inside.parameters.size
    await agent.takeReply(
      agent.notify({ subscription_id: 's', send_resp: true, value_change: { param_path, param_value } }),
    )
    expect(world.stores.inside.parameters.size).toBe(parameters)
    expect(eventTypes()).not.toContain('parameter.changed')
  })

  it('of a secret tells that it changed, and not what it is', async () => {
    const agent = await joined()
    const param_path = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'
    const value_change = { param_path, param_value: 'geheim' }
    await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, value_change }))
    const event = { obj_path: 'Device.', event_name: 'X!', params: { Password: 'geheim', Name: 'n' } }
    await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, event }))
    expect(stored(param_path)).toBe('')
    expect(eventTypes()).toEqual(expect.arrayContaining(['parameter.changed', 'device.notified']))
    expect(JSON.stringify(world.stores.inside.events)).not.toContain('geheim')
  })

  it('of an event keeps as much of its words as there is room for', async () => {
    const agent = await joined()
    const params = { Data: 'x'.repeat(100_000), More: 'y' }
    const event = { obj_path: 'Device.BulkData.Profile.1.', event_name: 'Push!', params }
    await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, event }))
    const [told] = world.stores.inside.events.filter(({ type }) => type === 'device.notified')
    expect(JSON.stringify(told).length).toBeLessThan(40_000)
    expect(told?.data).toMatchObject({ event: 'Device.BulkData.Profile.1.Push!' })
  })

  it('of a device that was deleted ends the link, so that the Agent arrives anew', async () => {
    const agent = await joined()
    world.stores.inside.devices.delete(ID)
    world.clock.advance(60_000)
    const end = agent.closed()
    agent.notify(change('late'))
    expect(await end).toBe(1013)
    expect(agent.notifyResps).toEqual([])
    await joined()
    expect(device()).toMatchObject({ binding: { endpointId: EID } })
  })

  it('is never acknowledged with send_resp=false, but stored', async () => {
    const agent = await joined()
    agent.notify(change('quiet', false), 'q')
    const after = agent.notify(change('loud'))
    await agent.takeReply(after)
    expect(world.commits.filter(({ parameters }) => parameters?.[0]?.value === 'quiet')).toHaveLength(1)
    expect(agent.notifyResps).toEqual([after])
  })

  it('of a subscription nobody knows is acknowledged, so that it ends', async () => {
    const agent = await joined()
    const msgId = agent.notify({ ...change('x'), subscription_id: 'whose' })
    expect(await agent.takeReply(msgId)).toMatchObject({ body: { subscription_id: 'whose' } })
  })

  it('that follows another one is stored after it', async () => {
    const agent = await joined()
    for (const value of ['1', '2', '3']) agent.notify(change(value), `o${value}`)
    await agent.takeReply('o3')
    const written = world.commits.flatMap(({ parameters = [] }) => parameters.filter(({ path }) => path === CODE))
    expect(written.map(({ value }) => value)).toEqual(['1', '2', '3'])
    expect(stored(CODE)).toBe('3')
  })

  it('OperationComplete ends the operation its command_key names, with the failure it tells', async () => {
    const agent = await joined()
    const oper_complete = {
      obj_path: 'Device.',
      command_name: 'ScheduleTimer()',
      command_key: 'op-1',
      cmd_failure: { err_code: 7022, err_msg: 'no time' },
    }
    const msgId = agent.notify({ subscription_id: 'isthmus-complete', send_resp: true, oper_complete })
    await agent.takeReply(msgId)
    expect(world.completions).toMatchObject([
      { deviceId: ID, kind: 'command', commandKey: 'op-1', fault: { code: '7022', text: 'no time' } },
    ])
  })

  it('is not acknowledged before the end of its operation is stored', async () => {
    await world.stop()
    let release = (): void => undefined
    let told: Completion | undefined
    let reached = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      reached = resolve
    })
    world = await startController({
      upward: {
        contact: async () => undefined,
        hasNews: () => false,
        factsDue: () => false,
        completed: (completion) =>
          new Promise((resolve) => {
            told = completion
            release = resolve
            reached()
          }),
      },
    })
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    const event = { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'RemoteReboot', CommandKey: 'op-2' } }
    const msgId = agent.notify({ subscription_id: 'isthmus-boot', send_resp: true, event })
    await waiting
    expect(told).toMatchObject({ kind: 'boot', cause: 'RemoteReboot', commandKey: 'op-2' })
    expect(device()?.usp).toMatchObject({ lastBootCause: 'RemoteReboot', lastBootKey: 'op-2' })
    await agent.heard()
    expect(agent.notifyResps).toEqual([])
    release()
    await agent.takeReply(msgId)
  })

  it('ObjectCreation brings the row into the record, those that come together in one Get', async () => {
    const agent = await joined()
    const row = (n: number) => `Device.NAT.PortMapping.${n}.`
    agent.answer = () => undefined
    const created = async (n: number) => {
      const obj_creation = { obj_path: row(n), unique_keys: {} }
      await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, obj_creation }))
    }
    const answer = ({ msgId, body }: RequestOf<'get'>) =>
      agent.send(
        responseMsg(
          msgId,
          'get_resp',
          values(Object.fromEntries(body.param_paths.map((path) => [`${path}ExternalPort`, path.replace(/\D/g, '')]))),
        ),
      )
    await created(7)
    const first = await agent.takeRequest('get')
    expect(first.body.param_paths).toEqual([row(7)])
    await created(8)
    await created(9)
    answer(first)
    const second = await agent.takeRequest('get')
    expect(second.body.param_paths).toEqual([row(8), row(9)])
    answer(second)
    await vi.waitUntil(() => stored(`${row(9)}ExternalPort`) === '9', 60_000)
    expect(stored(`${row(7)}ExternalPort`)).toBe('7')
    expect(stored(`${row(8)}ExternalPort`)).toBe('8')
  })

  it('ObjectDeletion takes what lay below the row out of the record', async () => {
    const agent = await joined()
    const param_path = 'Device.NAT.PortMapping.7.ExternalPort'
    const value_change = { param_path, param_value: '80' }
    await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, value_change }))
    expect(stored(param_path)).toBe('80')
    const obj_deletion = { obj_path: 'Device.NAT.PortMapping.7.' }
    await agent.takeReply(agent.notify({ subscription_id: 's', send_resp: true, obj_deletion }))
    expect(stored(param_path)).toBeUndefined()
    expect(eventTypes()).toContain('object.deleted')
  })
})
