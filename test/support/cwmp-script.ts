import { Session } from '../../src/cwmp/acs/session/session.ts'
import type { CwmpFault, RequestOf, ResponseOf, RpcName } from '../../src/cwmp/wire/index.ts'
import { deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { decodeEnvelope } from './decode-envelope.ts'

type Body = ResponseOf<RpcName>

/** One request that reached the scripted CPE. */
export type Asked = { [N in RpcName]: { name: N; body: RequestOf<N> } }[RpcName]

export interface ScriptedSession {
  session: Session
  asked: Asked[]
  /** Names of one GetParameterValues after the other. */
  batches(): string[][]
}

/**
 * A session in its ACS turn. The CPE answers each request with what `answer` gives: a body, a fault code, a whole
 * fault, or nothing at all, which is a CPE that fell silent until the session timed out. After `leavesAfter` requests
 * its connection is gone: nothing more can be sent.
 */
export function scriptedSession(
  answer: (request: Asked) => Body | CwmpFault | number | undefined,
  { leavesAfter = Number.POSITIVE_INFINITY }: { leavesAfter?: number } = {},
): ScriptedSession {
  const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
  const device = { ...newDevice(deviceIdOf(identity), identity, 'cwmp', 0), root: 'Device.' as const }
  const urn = 'urn:dslforum-org:cwmp-1-2'
  const session = new Session({ cookie: 'c', device, urn, remoteAddress: '', idleMs: 30_000, now: 0 })
  const asked: Asked[] = []
  const respond = (text: string | undefined): boolean => {
    if (text === undefined) return true
    if (asked.length >= leavesAfter) return false
    const { message, header } = decodeEnvelope(Buffer.from(text))
    if (message.kind !== 'request') throw new Error(`the ACS sent a ${message.kind}`)
    asked.push(message as Asked)
    const given = answer(message as Asked)
    queueMicrotask(() => {
      if (given === undefined) return session.drop('timeout')
      const reply =
        typeof given === 'number'
          ? { kind: 'fault' as const, fault: { code: given, text: '', parameters: [] } }
          : 'code' in given
            ? { kind: 'fault' as const, fault: given }
            : // The script pairs each request with a body of its own kind.
              ({ kind: 'response', name: message.name, body: given } as Parameters<Session['answer']>[0]['message'])
      session.answer({ urn, header, message: reply, repaired: false }, respond)
    })
    return true
  }
  session.move('inform')
  session.move('emptyPost')
  session.offerTurn(respond)
  const batches = () =>
    asked.flatMap((request) => (request.name === 'GetParameterValues' ? [request.body.ParameterNames] : []))
  return { session, asked, batches }
}
