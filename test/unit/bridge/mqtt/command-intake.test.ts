import { expect, it } from 'vitest'
import { silentLog } from '../../../../src/base/index.ts'
import { CommandBudgets, CommandIntake } from '../../../../src/bridge/mqtt/command-intake.ts'
import type { MqttModel } from '../../../../src/bridge/mqtt/served-router.ts'
import { AgentError, type CommandCall } from '../../../../src/usp/index.ts'
import { createManualClock, settled } from '../../../support/manual-clock.ts'

interface Shown {
  status: string
  code?: number
  message?: string
}

/** The commands of routers whose model notes what it is asked for. */
function world() {
  const clock = createManualClock()
  const budgets = new CommandBudgets(clock)
  const calls: CommandCall[] = []
  const writes: string[] = []
  let answer: (call: CommandCall) => Promise<void> = async () => undefined
  const model: MqttModel = {
    supported: async () => {
      throw new AgentError(7003, 'not here')
    },
    instances: async () => [],
    get: async () => new Map(),
    set: async (values) => void writes.push(...values.map(({ path, value }) => `${path}=${value}`)),
    add: async () => [],
    delete: async () => undefined,
    async operate(call) {
      calls.push(call)
      await answer(call)
      return { done: Promise.resolve({ output: {} }) }
    },
  }
  const intakes = new Map<string, CommandIntake>()
  let ids = 0
  const newId = () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`
  const send = async (verb: string, more: object = {}, router = 'r1', isRetained = false): Promise<Shown[]> => {
    const intake = intakes.get(router) ?? new CommandIntake(router, budgets, { clock, log: silentLog })
    intakes.set(router, intake)
    const payload = Buffer.from(JSON.stringify({ id: newId(), ts: new Date(clock.now()).toISOString(), ...more }))
    const shown: Shown[] = []
    await intake.take({ payload, isRetained }, verb, { model, respond: (one) => shown.push(one), refusal: undefined })
    return shown
  }
  return { clock, calls, writes, send, intakes, answerWith: (next: typeof answer) => (answer = next) }
}

const statuses = (shown: Shown[]) => shown.map(({ status }) => status)

it('a router restarts once in five minutes, and another one all the same', async () => {
  const { clock, calls, send } = world()
  expect(statuses(await send('reboot'))).toEqual(['accepted', 'done'])
  expect(await send('reboot')).toMatchObject([{ status: 'denied', code: 7005 }])
  expect(statuses(await send('reboot', {}, 'r2'))).toEqual(['accepted', 'done'])
  clock.advance(299_000)
  expect(statuses(await send('reboot'))).toEqual(['denied'])
  clock.advance(1_000)
  expect(statuses(await send('reboot'))).toEqual(['accepted', 'done'])
  expect(calls).toHaveLength(3)
  expect(calls[0]?.by).toEqual({ way: 'mqtt' })
})

it('a command that the router refuses counts for none', async () => {
  const { send, answerWith } = world()
  answerWith(async () => {
    throw new AgentError(7006, 'commands of level 2 are not enabled for this router')
  })
  expect(await send('reboot')).toMatchObject([{ status: 'denied', code: 7006 }])
  answerWith(async () => undefined)
  expect(statuses(await send('reboot'))).toEqual(['accepted', 'done'])
})

it('an id is refused for ten minutes, also that of a command that was refused', async () => {
  const { clock, send } = world()
  const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
  expect(statuses(await send('identity_set', { id, args: { name: '' } }))).toEqual(['denied'])
  expect(await send('identity_set', { id: id.toUpperCase(), args: { name: 'x' } })).toMatchObject([{ code: 7002 }])
  clock.advance(600_000)
  expect(statuses(await send('identity_set', { id, args: { name: 'x' } }))).toEqual(['accepted', 'done'])
})

it('a command is refused that is old, expired, of the future, retained, or from before the bridge has served the router', async () => {
  const { clock, send, writes } = world()
  const at = (ms: number) => new Date(clock.now() + ms).toISOString()
  const args = { name: 'x' }
  await send('get')
  expect(await send('identity_set', { args, ts: at(-1) })).toMatchObject([{ code: 7002 }])
  clock.advance(100_000)
  const refused = [{ ts: at(-60_001) }, { ts: at(6000) }, { expires: at(0) }]
  for (const one of refused) expect(await send('identity_set', { args, ...one })).toMatchObject([{ code: 7002 }])
  expect(await send('identity_set', { args }, 'r1', true)).toMatchObject([{ code: 7002 }])
  expect(writes).toEqual([])
  expect(statuses(await send('identity_set', { args, ts: at(-59_000), expires: at(1) }))).toEqual(['accepted', 'done'])
  expect(writes).toEqual(['Device.DeviceInfo.HostName=x'])
})

it('refuses fields and arguments that it does not know, and forms that are wrong, without their values', async () => {
  const { send, writes, calls } = world()
  const wrong: [string, object, number][] = [
    ['identity_set', { args: { name: 'x' }, path: '/system/reboot' }, 7004],
    ['identity_set', { id: 'one', args: { name: 'x' } }, 7004],
    ['identity_set', { ts: 'yesterday', args: { name: 'x' } }, 7004],
    ['identity_set', { args: [] }, 7004],
    ['identity_set', { args: { name: 'x', more: 1 } }, 7027],
    ['identity_set', { args: { name: 'a\nb' } }, 7027],
    ['identity_set', { args: { name: 'x'.repeat(65) } }, 7027],
    ['ping', { args: { host: '-c 1' } }, 7027],
    ['ping', { args: { host: '192.0.2.1', count: '4' } }, 7027],
    ['wifi_set', { args: { interface: 'wifi1' } }, 7027],
    ['wifi_set', { args: { interface: 'wifi1', key: 'S3cr3t' } }, 7027],
    ['upgrade', { args: { channel: 'stable', url: 'https://host.example/x.npk' } }, 7027],
    ['get', { args: { path: 'Device.WiFi.[Name=="x"].' } }, 7027],
    ['__proto__', {}, 7026],
    ['script', { args: {} }, 7026],
  ]
  for (const [verb, payload, code] of wrong) {
    const shown = await send(verb, payload)
    expect(shown, `${verb} ${JSON.stringify(payload)}`).toMatchObject([{ status: 'denied', code }])
    expect(JSON.stringify(shown)).not.toContain('S3cr3t')
  }
  expect([...writes, ...calls]).toEqual([])
})

it('of a flood for one router most is dropped without a response, and it ends by itself', async () => {
  const { clock, send } = world()
  const flood = await Promise.all(Array.from({ length: 200 }, () => send('script')))
  expect(flood.filter((shown) => shown.length > 0)).toHaveLength(60)
  expect(statuses(await send('identity_set', { args: { name: 'x' } }, 'r2'))).toEqual(['accepted', 'done'])
  clock.advance(5000)
  expect(statuses(await send('identity_set', { args: { name: 'x' } }))).toEqual(['accepted', 'done'])
})

it('eight commands of a router are under way at most, and those are cancelled when it is served no more', async () => {
  const { send, intakes, answerWith } = world()
  answerWith(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))))
  const args = { host: '192.0.2.1' }
  const verbs = [...Array(5).fill('ping'), ...Array(3).fill('traceroute')]
  const running = verbs.map((verb) => send(verb, { args }))
  await settled()
  expect(await send('reboot')).toMatchObject([{ status: 'denied', code: 7005 }])
  intakes.get('r1')?.stop()
  expect((await Promise.all(running)).flat()).toHaveLength(8)
  for (const [shown] of await Promise.all(running)) expect(shown).toMatchObject({ status: 'denied', code: 7023 })
})
