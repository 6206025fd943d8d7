import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { IllegalTransition, systemRandom } from '../../../src/base/index.ts'
import { Authenticator, defaultUsernames, type EnrolmentPolicy } from '../../../src/cwmp/acs/login/authenticate.ts'
import { Session } from '../../../src/cwmp/acs/session/session.ts'
import { SessionShares } from '../../../src/cwmp/acs/session/session-shares.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '../../../src/cwmp/acs/session/session-state.ts'
import { Sessions } from '../../../src/cwmp/acs/session/sessions.ts'
import type { CwmpMessage } from '../../../src/cwmp/wire/index.ts'
import { type CwmpCredential, deviceIdOf, newDevice } from '../../../src/domain/index.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const URN = 'urn:dslforum-org:cwmp-1-0'
const IDENTITY = { oui: '00256D', productClass: 'Box', serial: '1' }

let made = 0
function newSession(serial = '1'): Session {
  const identity = { ...IDENTITY, serial }
  const device = newDevice(deviceIdOf(identity), identity, 'cwmp', 0)
  const cookie = `cookie-cookie-cookie-${++made}`
  return new Session({ cookie, device, urn: URN, remoteAddress: '127.0.0.1', idleMs: 30_000, now: 0 })
}

const EVENTS: SessionEvent[] = ['inform', 'cpeRequest', 'emptyPost', 'send', 'answer', 'finish', 'drop']
/** The events by which a session gets into each state. */
const WAY: Record<SessionState, SessionEvent[]> = {
  awaitingInform: [],
  cpeTurn: ['inform'],
  acsTurn: ['inform', 'emptyPost'],
  awaitingResponse: ['inform', 'emptyPost', 'send'],
  closed: ['inform', 'emptyPost', 'finish'],
}
/** The events that TR-069 3.7 allows; every other pair is refused. */
const ALLOWED: Record<string, SessionState> = {
  'awaitingInform inform': 'cpeTurn',
  'cpeTurn cpeRequest': 'cpeTurn',
  'cpeTurn emptyPost': 'acsTurn',
  'acsTurn send': 'awaitingResponse',
  'acsTurn finish': 'closed',
  'awaitingResponse answer': 'acsTurn',
  'awaitingResponse cpeRequest': 'awaitingResponse',
}
const STATES = Object.keys(SESSION_TABLE) as SessionState[]
const PAIRS = STATES.flatMap((state) =>
  EVENTS.map((event) => [state, event, event === 'drop' ? 'closed' : ALLOWED[`${state} ${event}`]] as const),
)

describe('the states of a session', () => {
  it.each(PAIRS)('%s on %s', (state, event, next) => {
    const session = newSession()
    for (const step of WAY[state]) session.move(step)
    expect(session.state).toBe(state)
    if (next === undefined) {
      expect(() => session.move(event)).toThrow(IllegalTransition)
      expect(session.state).toBe(state)
    } else {
      session.move(event)
      expect(session.state).toBe(next)
    }
  })

  it('are all reached, and nothing but an Inform begins one', () => {
    expect(Object.keys(WAY).toSorted()).toEqual(STATES.toSorted())
    expect(Object.keys(SESSION_TABLE.awaitingInform).toSorted()).toEqual(['drop', 'inform'])
  })
})

describe('a request of ours', () => {
  /** A session in our turn, and what left it: an envelope, or nothing for 204. */
  function inTurn(open = true) {
    const session = newSession()
    const left: (string | undefined)[] = []
    const respond = (text: string | undefined) => {
      left.push(text)
      return open
    }
    session.move('inform')
    session.move('emptyPost')
    session.offerTurn(respond)
    const answer = (message: CwmpMessage, id?: string) =>
      session.answer({ urn: URN, header: id === undefined ? {} : { id }, message, repaired: false }, respond)
    return { session, left, answer }
  }
  const reboot = { CommandKey: 'k' }
  const rebooted: CwmpMessage = { kind: 'response', name: 'Reboot', body: {} }

  it('leaves in the namespace of the session with an ID of its own', () => {
    const { session, left, answer } = inTurn()
    void session.call('Reboot', reboot)
    answer(rebooted, '1')
    void session.call('Reboot', reboot).catch(() => undefined)
    const envelopes = left.map((text) => decodeEnvelope(Buffer.from(text ?? '')))
    expect(envelopes.map(({ urn, header }) => [urn, header.id])).toEqual([
      [URN, '1'],
      [URN, '2'],
    ])
    session.drop('test')
  })

  it('may not leave before our turn, nor while another is out', async () => {
    const early = newSession()
    early.move('inform')
    await expect(early.call('Reboot', reboot)).rejects.toMatchObject({ name: 'TransportError', sent: false })
    const { session, left, answer } = inTurn()
    const first = session.call('Reboot', reboot)
    await expect(session.call('Reboot', reboot)).rejects.toMatchObject({ name: 'TransportError', sent: false })
    answer(rebooted)
    expect(await first).toEqual({ ok: true, body: {} })
    expect(left).toHaveLength(1)
  })

  it.each([
    ['its ID', '1'],
    ['another ID', '77'],
    ['no ID', undefined],
  ])('is answered by the next POST, with %s', async (_name, id) => {
    const { session, answer } = inTurn()
    const call = session.call('Reboot', reboot)
    answer(rebooted, id)
    expect(await call).toEqual({ ok: true, body: {} })
  })

  it('resolves with the fault of the CPE, and the session goes on', async () => {
    const { session, answer } = inTurn()
    const call = session.call('Reboot', reboot)
    answer({ kind: 'fault', fault: { code: 9001, text: 'no', parameters: [] } })
    expect(await call).toEqual({ ok: false, fault: { code: 9001, text: 'no', parameters: [] } })
    expect(session.state).toBe('acsTurn')
  })

  it.each<[string, CwmpMessage]>([
    ['the response of another method', { kind: 'response', name: 'FactoryReset', body: {} }],
    ['a request', { kind: 'request', name: 'GetRPCMethods', body: {} }],
    ['something unknown', { kind: 'unknown', name: 'X_Sing' }],
  ])('fails on %s, and the session goes on', async (_name, message) => {
    const { session, answer } = inTurn()
    const call = session.call('Reboot', reboot)
    answer(message)
    await expect(call).rejects.toMatchObject({ name: 'ProtocolError', code: 'wrongAnswer' })
    const next = session.call('Reboot', reboot)
    answer(rebooted)
    expect(await next).toMatchObject({ ok: true })
  })

  it('fails as sent when the session ends before the answer, as not sent when nobody took it', async () => {
    const { session } = inTurn()
    const call = session.call('Reboot', reboot)
    session.drop('timeout')
    await expect(call).rejects.toMatchObject({ name: 'TransportError', code: 'timeout', sent: true })
    await expect(inTurn(false).session.call('Reboot', reboot)).rejects.toMatchObject({
      code: 'connection',
      sent: false,
    })
  })

  it('is refused after 2000 others in one session', async () => {
    const { session, left, answer } = inTurn()
    for (let i = 0; i < 2000; i++) {
      const call = session.call('Reboot', reboot)
      answer(rebooted)
      await call
    }
    await expect(session.call('Reboot', reboot)).rejects.toMatchObject({ code: 'sessionLimit', sent: false })
    expect(left).toHaveLength(2000)
  })

  it('is followed by 204 when there is no other; the end is told once', () => {
    const { session, left } = inTurn()
    let ended = 0
    session.onEnded = () => void ended++
    const { signal } = session
    session.finish()
    session.finish()
    session.drop('late')
    expect(left).toEqual([undefined])
    expect([ended, signal.aborted, session.state]).toEqual([1, true, 'closed'])
  })

  it('an answer that nobody waits for is refused', () => {
    const { answer } = inTurn()
    expect(() => answer(rebooted)).toThrow(/nothing was asked/)
  })
})

describe('the sessions under way', () => {
  const cookie = (session: Session) => `isthmus=${session.cookie}`
  function setup() {
    const sessions = new Sessions(createManualClock(), new SessionShares({ maxSessions: 100, maxPerAddress: 100 }))
    const socket = new Socket()
    const session = newSession()
    sessions.add(session, socket)
    return { sessions, socket, session }
  }

  it('are found by cookie on any connection, among other cookies and in the old form', () => {
    const { sessions, session } = setup()
    const other = new Socket()
    const value = session.cookie
    for (const header of [`isthmus=${value}`, `a=b; isthmus=${value}`, `$Version="1"; isthmus="${value}"; $Path="/"`])
      expect(sessions.find(header, other)).toBe(session)
    expect(sessions.find(`a=b, isthmus=${value}`, other)).toBe(session)
  })

  it('are found by their connection without a cookie, never with a foreign one', () => {
    const { sessions, socket, session } = setup()
    expect(sessions.find(undefined, socket)).toBe(session)
    expect(sessions.find('theirs=1', socket)).toBe(session)
    expect(sessions.find(undefined, new Socket())).toBeUndefined()
    expect(sessions.find('isthmus=AAAAAAAAAAAAAAAAAAAAAAAA', socket)).toBeUndefined()
  })

  it('are gone once they have ended', () => {
    const { sessions, socket, session } = setup()
    session.move('inform')
    session.drop('test')
    expect(sessions.find(cookie(session), socket)).toBeUndefined()
    expect(sessions.find(undefined, socket)).toBeUndefined()
    expect([sessions.size, sessions.ofDevice(session.deviceId)]).toEqual([0, undefined])
  })

  it('are one per device: the newer takes over, others stay', () => {
    const { sessions, session } = setup()
    const stranger = newSession('2')
    sessions.add(stranger, new Socket())
    const newer = newSession()
    sessions.add(newer, new Socket())
    expect([session.state, stranger.state]).toEqual(['closed', 'awaitingInform'])
    expect(sessions.ofDevice(session.deviceId)).toBe(newer)
    expect(sessions.size).toBe(2)
  })

  it('all end when the server stops', () => {
    const { sessions, session } = setup()
    sessions.stop()
    expect([session.state, sessions.size]).toEqual(['closed', 0])
  })
})

describe('who may come', () => {
  const id = deviceIdOf(IDENTITY)
  const own = { username: 'own-user', password: 'own' }
  const coming = { username: 'coming-user', password: 'coming' }
  const shared = { username: id as string, password: 'shared' }
  const basic = ({ username, password }: typeof own) =>
    `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  function check(policy: EnrolmentPolicy, known: Partial<CwmpCredential> | undefined, header?: string) {
    const credential = known === undefined ? undefined : { deviceId: id, updatedAt: 0, ...known }
    const authenticator = new Authenticator({
      policy,
      enrolmentSecret: shared.password,
      allowBasicOverHttp: false,
      credentials: { get: async () => credential },
      clock: createManualClock(),
      random: systemRandom,
    })
    return authenticator.check(id, IDENTITY, { header, tls: true, address: '' })
  }

  const sent = { none: undefined, own: basic(own), pending: basic(coming), shared: basic(shared) }
  const wrong = basic({ ...own, password: 'x' })
  const records = {
    unknown: undefined,
    pending: { pending: coming },
    delivered: { pending: coming, delivered: true as const },
    known: { current: own },
  }
  type Row = [EnrolmentPolicy, keyof typeof records, keyof typeof sent, string]
  const rows: Row[] = [
    ['closed', 'unknown', 'none', 'missing'],
    ['closed', 'unknown', 'shared', 'unknown'],
    ['closed', 'pending', 'pending', 'pending'],
    ['closed', 'pending', 'shared', 'wrong'],
    ['closed', 'known', 'own', 'current'],
    ['closed', 'known', 'shared', 'wrong'],
    ['credential', 'unknown', 'none', 'missing'],
    ['credential', 'unknown', 'shared', 'enrolment'],
    ['credential', 'unknown', 'own', 'wrong'],
    ['credential', 'pending', 'pending', 'pending'],
    ['credential', 'pending', 'shared', 'enrolment'],
    ['credential', 'known', 'own', 'current'],
    ['credential', 'known', 'none', 'missing'],
    ['credential', 'known', 'shared', 'reset'],
    ['open', 'unknown', 'none', 'none'],
    ['open', 'unknown', 'shared', 'enrolment'],
    ['open', 'unknown', 'own', 'none'],
    ['open', 'pending', 'none', 'none'],
    ['open', 'delivered', 'none', 'missing'],
    ['open', 'delivered', 'pending', 'pending'],
    ['open', 'delivered', 'own', 'none'],
    ['open', 'known', 'none', 'missing'],
    ['open', 'known', 'own', 'current'],
    ['open', 'known', 'shared', 'reset'],
  ]
  it.each(rows)('under policy %s a device that is %s and sends %s: %s', async (policy, record, given, outcome) => {
    const result = await check(policy, records[record], sent[given])
    expect(result.ok ? result.proof : result.reason).toBe(outcome)
  })

  it.each(['credential', 'open'] as const)(
    'under policy %s a device that another instance gave a credential needs it here at once',
    async (policy) => {
      let stored: CwmpCredential = { deviceId: id, updatedAt: 0, pending: coming }
      const authenticator = new Authenticator({
        policy,
        enrolmentSecret: shared.password,
        allowBasicOverHttp: false,
        credentials: { get: async () => stored },
        clock: createManualClock(),
        random: systemRandom,
      })
      const come = async (header?: string) => {
        const result = await authenticator.check(id, IDENTITY, { header, tls: true, address: '' })
        return result.ok ? result.proof : result.reason
      }
      expect(await come(sent.shared)).toBe('enrolment')
      stored = { deviceId: id, updatedAt: 1, current: coming }
      expect(await come(sent.shared)).toBe('reset')
      expect(await come()).toBe('missing')
    },
  )

  it('a wrong password never passes, but where devices are let in without any', async () => {
    for (const policy of ['closed', 'credential'] as const)
      for (const record of Object.values(records)) expect((await check(policy, record, wrong)).ok).toBe(false)
    expect((await check('open', records.known, wrong)).ok).toBe(false)
  })

  it('the enrolment secret goes with the names that TR-069 gives a device, with or without product class', async () => {
    expect(defaultUsernames(IDENTITY)).toEqual(expect.arrayContaining(['00256D-Box-1', '00256D-1']))
    const odd = { oui: '00256d', productClass: 'A Box', serial: 'S-1' }
    for (const form of ['A%20Box-S%2D1', 'A%20Box-S-1', 'A Box-S-1', 'S%2D1', 'S-1'])
      expect(defaultUsernames(odd)).toEqual(expect.arrayContaining([`00256D-${form}`, `00256d-${form}`]))
    const short = basic({ username: '00256D-1', password: 'shared' })
    expect(await check('credential', undefined, short)).toMatchObject({ proof: 'enrolment' })
    const other = basic({ username: '00256D-Box-2', password: 'shared' })
    expect(await check('credential', undefined, other)).toMatchObject({ ok: false, reason: 'wrong' })
  })
})
