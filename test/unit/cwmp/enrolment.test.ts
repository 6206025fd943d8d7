import { afterEach, describe, expect, it } from 'vitest'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { ENROLMENT_SECRET, startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, cookieOf, digestFor, type Login, vector } from '../../support/cwmp-wire.ts'

/** Everybody who opened one CPE knows the enrolment secret: what happens when two come with it in one name. */
const id = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' })
const shared: Login = { username: id, password: ENROLMENT_SECRET }
const inform = vector('inform', { SERIAL: '1', '0 BOOTSTRAP': '2 PERIODIC' })
const bootstrap = vector('inform', { SERIAL: '1' })
const taken = vector('set-values-response')

let world: TestAcs
const wires: CpeWire[] = []
afterEach(async () => {
  for (const made of wires.splice(0)) made.close()
  await world.stop()
})

/** An Inform on a connection of its own, with this login where one is asked for. */
async function come(login: Login, body = inform) {
  const cpe = new CpeWire(world.acs.port)
  wires.push(cpe)
  const first = await cpe.post(body)
  const answer = first.status === 401 ? await cpe.post(body, digestFor(first, login)) : first
  return { cpe, answer, status: answer.status }
}

/** One session with the enrolment secret; the login that it was given. Without an answer the connection is cut. */
async function enrol({ answers = true, body = inform } = {}): Promise<Login> {
  const { cpe, answer } = await come(shared, body)
  expect(answer.status).toBe(200)
  const { text } = await cpe.post('', cookieOf(answer))
  const value = (name: string) =>
    new RegExp(`ManagementServer\\.${name}</Name><Value[^>]*>([^<]*)<`).exec(text)?.[1] ?? ''
  if (answers) expect((await cpe.post(taken, cookieOf(answer))).status).toBe(204)
  else cpe.close()
  return { username: value('Username'), password: value('Password') }
}

const told = (type: string) => world.stores.inside.events.filter((event) => event.type === type)

describe('under policy open, a CPE that takes a credential and shows nothing', () => {
  /** A request on a connection of its own. */
  async function post(body: string, headers: Record<string, string> = {}) {
    const cpe = new CpeWire(world.acs.port)
    wires.push(cpe)
    return cpe.post(body, headers)
  }
  async function firstSession(): Promise<void> {
    const answer = await post(inform)
    expect(answer.status).toBe(200)
    const asked = await post('', cookieOf(answer))
    expect(asked.text).toContain('SetParameterValues')
    expect((await post(taken, cookieOf(answer))).status).toBe(204)
  }

  it('ends the session in which it was given, each request over a new connection', async () => {
    world = await startAcs({ policy: 'open' })
    await firstSession()
  })

  it('is an event once it has answered no challenge for a while', async () => {
    world = await startAcs({ policy: 'open' })
    await firstSession()
    for (let n = 0; n < 2; n++) expect((await post(inform)).status).toBe(401)
    expect(told('device.refused')).toEqual([])
    for (let n = 0; n < 3; n++) expect((await post(inform)).status).toBe(401)
    expect(told('device.refused')).toMatchObject([
      { deviceId: id, data: { reason: 'missing', text: expect.stringContaining('release-credential') } },
    ])
  })
})

describe('a second enrolment while a credential is pending', () => {
  it('makes a new password and an event with both addresses', async () => {
    world = await startAcs({ policy: 'credential' })
    const first = await enrol()
    expect(told('device.credentialReissued')).toEqual([])
    const second = await enrol()
    expect(second.password).not.toBe(first.password)
    expect(told('device.credentialReissued')).toMatchObject([
      { deviceId: id, protocol: 'cwmp', data: { first: '127.0.0.1', second: '127.0.0.1' } },
    ])
  })

  it('replaces the first one: whoever comes with it is refused, and that is an event', async () => {
    world = await startAcs({ policy: 'credential' })
    const first = await enrol()
    const second = await enrol()
    for (let i = 0; i < 3; i++) expect((await come(first)).status).toBe(401)
    expect(told('device.refused')).toMatchObject([
      { deviceId: id, protocol: 'cwmp', data: { reason: 'replaced', address: '127.0.0.1' } },
    ])
    expect((await come(second)).status).toBe(200)
    expect((await come(first)).status).toBe(401)
    expect(world.credentials.get(id)?.current).toEqual(second)
  })

  it('refuses the first one under policy open, too', async () => {
    world = await startAcs({ policy: 'open' })
    const first = await enrol()
    await enrol()
    expect((await come(first)).status).toBe(401)
  })

  it('leaves the way open to a CPE that took the first one and whose answer was lost, until the second is answered for', async () => {
    world = await startAcs({ policy: 'credential' })
    const first = await enrol({ answers: false })
    const second = await enrol({ answers: false })
    expect((await come(first)).status).toBe(200)
    expect(world.credentials.get(id)?.current).toEqual(first)
    // The other one has lost, and is seen.
    expect((await come(second)).status).toBe(401)
    expect(told('device.refused')).toMatchObject([{ data: { reason: 'replaced' } }])
  })

  it('gives a CPE that lost the first one a new one, with which it comes back', async () => {
    world = await startAcs({ policy: 'credential' })
    await enrol({ answers: false })
    const second = await enrol()
    expect((await come(second)).status).toBe(200)
    expect((await come(shared)).status).toBe(401)
  })

  it('of a CPE that takes credentials and uses none is not written to its flash in every session', async () => {
    world = await startAcs({ policy: 'credential' })
    for (let i = 0; i < 3; i++) await enrol()
    const { cpe, answer } = await come(shared)
    expect((await cpe.post('', cookieOf(answer))).status).toBe(204)
    // A bootstrap is a reason to try again, and so is a day.
    await enrol({ body: bootstrap })
    world.clock.advance(86_400_001)
    await enrol()
  })
})

describe('a limit of new devices', () => {
  const next = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '2' })
  const nextInform = vector('inform', { SERIAL: '2', '0 BOOTSTRAP': '2 PERIODIC' })

  it.each(['credential', 'open'] as const)(
    'turns strangers away under policy %s, and nobody who is known',
    async (policy) => {
      let left = 1
      world = await startAcs({ policy, mayRegister: async () => left-- > 0 })
      await enrol({ body: inform })
      const { answer } = await come({ username: next, password: ENROLMENT_SECRET }, nextInform)
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('30')
      expect(world.stores.inside.devices.has(next)).toBe(false)
      expect(world.credentials.has(next)).toBe(false)
      await enrol({ body: inform })
    },
  )

  it('does not hold for a CPE that has a credential of its own', async () => {
    world = await startAcs({ policy: 'credential', mayRegister: async () => false })
    const login = { username: next, password: 'own' }
    world.credentials.set(next, { deviceId: next, current: login, updatedAt: 0 })
    expect((await come(login, nextInform)).status).toBe(200)
    expect(world.stores.inside.devices.has(next)).toBe(true)
  })
})
