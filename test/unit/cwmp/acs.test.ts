import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Contact, deviceIdOf, type Operation, type OperationResult } from '../../../src/domain/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, cookieOf, digestFor, type Login, vector } from '../../support/cwmp-wire.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const peer = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
const inform = (serial: string) => vector('inform', { SERIAL: serial, '0 BOOTSTRAP': '2 PERIODIC' })
const login = (serial: string): Login => ({ username: peer(serial), password: `secret of ${serial}` })

let world: TestAcs
const wires: CpeWire[] = []
const wire = () => {
  const made = new CpeWire(world.acs.port)
  wires.push(made)
  return made
}

/** The ACS, and devices 1 and 2 with credentials of their own. */
async function start(options: Parameters<typeof startAcs>[0] = {}): Promise<void> {
  world = await startAcs({ policy: 'closed', ...options })
  for (const serial of ['1', '2'])
    world.credentials.set(peer(serial), {
      deviceId: peer(serial),
      current: login(serial),
      connectionRequest: login(serial),
      updatedAt: 0,
    })
}
afterEach(async () => {
  for (const made of wires.splice(0)) made.close()
  await world.stop()
})

/** A POST on a new connection, and the same again with the answer to the challenge. */
async function prove(body: string, serial: string, cookie: { cookie?: string } = {}) {
  const cpe = wire()
  const challenge = await cpe.post(body, cookie)
  expect([challenge.status, challenge.text]).toEqual([401, ''])
  const answer = await cpe.post(body, { ...cookie, ...digestFor(challenge, login(serial)) })
  return { cpe, challenge, answer }
}

/** A device that has sent its Inform and was let in. */
async function enter(serial: string) {
  const { cpe, answer } = await prove(inform(serial), serial)
  expect(answer.status).toBe(200)
  return { cpe, answer, cookie: cookieOf(answer) }
}

/** The record of the device says that work waits: the ACS will ask for one value, and the result comes here. */
async function withWork(serial: string): Promise<Promise<OperationResult>[]> {
  const { cpe, cookie } = await enter(serial)
  expect((await cpe.post('', cookie)).status).toBe(204)
  const device = world.stores.inside.devices.get(peer(serial))
  if (device !== undefined) device.work = { open: true, seq: 1 }
  const result = new Promise<OperationResult>((resolve, reject) => {
    world.onContact(async (contact: Contact) => {
      const request = { verb: 'get', paths: ['Device.DeviceInfo.UpTime'] }
      const hooks = { beforeSend: async () => undefined, signal: contact.signal, timeoutMs: 1000 }
      await contact.execute({ id: 'op1', request } as Partial<Operation> as Operation, hooks).then(resolve, reject)
    })
  })
  return [result]
}

describe('the order of a session', () => {
  beforeEach(() => start())

  it.each([
    ['an empty POST', ''],
    ['a request', vector('get-rpc-methods')],
    ['a response', vector('get-values-response')],
  ])('does not begin with %s', async (_name, body) => {
    const cpe = wire()
    const challenge = await cpe.post(inform('1'))
    const answer = await cpe.post(body, digestFor(challenge, login('1')))
    expect(answer.status).toBe(400)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(world.acs.sessionCount).toBe(0)
  })

  it('asks for credentials before it reads what somebody without any has to say', async () => {
    const answer = await wire().post('<no xml at all')
    expect([answer.status, answer.text]).toEqual([401, ''])
    expect(answer.headers['www-authenticate']).toMatch(/^Digest /)
  })

  it('ends with 204 when nobody has anything more; its cookie is worth nothing then', async () => {
    const { cpe, cookie } = await enter('1')
    expect(world.acs.sessionCount).toBe(1)
    const end = await cpe.post('', cookie)
    expect([end.status, end.text]).toEqual([204, ''])
    expect(world.acs.sessionCount).toBe(0)
    expect((await cpe.post('', cookie)).status).toBe(400)
  })

  it('takes no response that was not asked for, and is over then', async () => {
    const { cpe, cookie } = await enter('1')
    expect((await cpe.post(vector('get-values-response'), cookie)).status).toBe(400)
    expect(world.acs.sessionCount).toBe(0)
  })

  it('an empty POST in place of a response breaks it; what was asked counts as sent', async () => {
    const [result] = await withWork('1')
    const { cpe, cookie } = await enter('1')
    expect((await cpe.post('', cookie)).text).toContain('<cwmp:GetParameterValues>')
    const [broken] = await Promise.all([
      cpe.post('', cookie),
      expect(result).rejects.toMatchObject({ name: 'TransportError', sent: true }),
    ])
    expect(broken.status).toBe(400)
    expect(world.acs.sessionCount).toBe(0)
  })

  it('an answer that cannot be read breaks it; who waits for it is told why', async () => {
    const [result] = await withWork('1')
    const { cpe, cookie } = await enter('1')
    await cpe.post('', cookie)
    const [broken] = await Promise.all([
      cpe.post('<Envelope', cookie),
      expect(result).rejects.toThrow(/^the CWMP session ended \(the CPE sent what cannot be taken: .*\(line 1, column/),
    ])
    expect(broken.status).toBe(400)
  })

  it('a new Inform of the same device ends the older session; another device is not touched', async () => {
    const first = await enter('1')
    const other = await enter('2')
    const second = await enter('1')
    expect(world.acs.sessionCount).toBe(2)
    expect((await first.cpe.post('', first.cookie)).status).toBe(400)
    expect((await other.cpe.post('', other.cookie)).status).toBe(204)
    expect((await second.cpe.post('', second.cookie)).status).toBe(204)
  })

  it('works without cookies on one connection', async () => {
    const { cpe } = await enter('1')
    expect((await cpe.post(vector('get-rpc-methods'))).text).toContain('GetRPCMethodsResponse')
    expect((await cpe.post('')).status).toBe(204)
  })
})

describe('a turn of ours', () => {
  beforeEach(() => start())

  it('sends a request with an ID of its own and takes the answer of the next POST', async () => {
    const [result] = await withWork('1')
    const { cpe, cookie } = await enter('1')
    const request = await cpe.post('', cookie)
    expect(request.status).toBe(200)
    expect(request.text).toContain('<string>Device.DeviceInfo.UpTime</string>')
    const id = /<cwmp:ID soap-env:mustUnderstand="1">([^<]+)<\/cwmp:ID>/.exec(request.text)?.[1]
    expect(id).toBeDefined()
    const end = await cpe.post(vector('get-values-response', { ID: id ?? '' }), cookie)
    expect(end.status).toBe(204)
    expect(await result).toEqual({
      outcome: 'done',
      results: [{ path: 'Device.DeviceInfo.UpTime', value: '42', type: 'unsignedInt' }],
    })
  })

  it('goes on over other TCP connections, by cookie and new proof', async () => {
    const [result] = await withWork('1')
    const { cookie } = await enter('1')
    const second = await prove('', '1', cookie)
    expect(second.answer.text).toContain('<cwmp:GetParameterValues>')
    const third = await prove(vector('get-values-response'), '1', cookie)
    expect(third.answer.status).toBe(204)
    expect((await result)?.outcome).toBe('done')
  })

  it('is over when the CPE closes the connection on which it waits', async () => {
    await withWork('1')
    let hung: (signal: AbortSignal) => void
    const asked = new Promise<AbortSignal>((resolve) => {
      hung = resolve
    })
    const gone = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))
    world.onContact(async ({ signal }) => {
      hung(signal)
      await gone(signal)
    })
    const { cpe, cookie } = await enter('1')
    const cut = cpe.post('', cookie).catch((error: Error) => error)
    const ended = gone(await asked)
    cpe.close()
    expect(await cut).toBeInstanceOf(Error)
    await ended
    expect(world.acs.sessionCount).toBe(0)
  })
})

describe('the cookie of a session', () => {
  beforeEach(() => start())

  it('is random, and not for scripts', async () => {
    const answers = [(await enter('1')).answer, (await enter('1')).answer, (await enter('2')).answer]
    const cookies = answers.map((answer) => answer.headers['set-cookie']?.[0] ?? '')
    for (const cookie of cookies) expect(cookie).toMatch(/^isthmus=[\w-]{24}; Path=\/; HttpOnly$/)
    expect(new Set(cookies).size).toBe(3)
  })

  it('is no proof on a new connection: the CPE shows again who it is', async () => {
    const { cookie } = await enter('1')
    const { answer } = await prove('', '1', cookie)
    expect(answer.status).toBe(204)
  })

  it('is refused with the credentials of another device, and the session is not harmed', async () => {
    const { cpe, cookie } = await enter('1')
    const thief = await prove(vector('get-rpc-methods'), '2', cookie)
    expect(thief.answer.status).toBe(401)
    expect((await thief.cpe.post('<broken', cookie)).status).toBe(401)
    expect((await cpe.post(vector('get-rpc-methods'), cookie)).text).toContain('GetRPCMethodsResponse')
  })

  it('of one device does not bring the Inform of another into its session', async () => {
    const { cookie } = await enter('1')
    expect((await prove(inform('2'), '1', cookie)).answer.status).toBe(401)
    const { answer } = await prove(inform('2'), '2', cookie)
    expect(answer.status).toBe(200)
    expect(cookieOf(answer)).not.toEqual(cookie)
    expect(world.acs.sessionCount).toBe(2)
  })
})

describe('an overloaded server', () => {
  it('turns new sessions away with 503 and Retry-After, those under way end', async () => {
    await start({ maxSessions: 1 })
    const { cpe, cookie } = await enter('1')
    const late = await wire().post(inform('2'))
    expect([late.status, late.headers['retry-after']]).toEqual([503, '30'])
    expect(world.stores.inside.devices.has(peer('2'))).toBe(false)
    expect((await cpe.post('', cookie)).status).toBe(204)
    await enter('2')
  })
})

describe('a step of the machine’s clock', () => {
  it('neither prolongs a session or a nonce, nor ends one', async () => {
    const steadyClock = createManualClock()
    await start({ steadyClock })
    const cpe = wire()
    const challenge = await cpe.post(inform('1'))
    world.clock.advance(60 * 86_400_000)
    expect((await cpe.post(inform('1'), digestFor(challenge, login('1')))).status).toBe(200)
    expect(world.acs.sessionCount).toBe(1)
    world.clock.advance(-61 * 86_400_000)
    steadyClock.advance(600_001)
    await until(() => world.acs.sessionCount === 0)
    const late = await wire().post(inform('2'), digestFor(challenge, login('2')))
    expect(late.status).toBe(401)
  })
})
