import { afterEach, beforeEach } from 'vitest'
import {
  type Contact,
  deviceIdOf,
  type ExecuteHooks,
  type Operation,
  type OperationRequest,
} from '../../src/domain/index.ts'
import { type Msg, responseMsg } from '../../src/usp/wire/index.ts'
import { type RawAgent, values } from './raw-agent.ts'
import { startController, type TestController } from './usp-controller.ts'

export const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
export const UPTIME = 'Device.DeviceInfo.UpTime'
export const SSID = 'Device.WiFi.SSID.1.SSID'
export const TABLE = 'Device.NAT.PortMapping.'
export const GET: OperationRequest = { verb: 'get', paths: [UPTIME] }
export const SET: OperationRequest = { verb: 'set', values: [{ path: SSID, value: 'new' }] }
export const ADD: OperationRequest = { verb: 'add', object: TABLE, values: { ExternalPort: '80' } }
export const DELETE: OperationRequest = { verb: 'delete', paths: [`${TABLE}1.`] }
export const OPERATE: OperationRequest = {
  verb: 'operate',
  command: 'Device.ScheduleTimer()',
  input: { DelaySeconds: '1' },
}

/** The Controller, the Agent that is linked to it, and the contact over that link, of the test that runs. */
export let world: TestController
export let agent: RawAgent
export let contact: Contact
/** Operations so far: the id of the last one has this number. */
export let ids = 0

/** Each test of the file has a Controller of its own, and an Agent that answers nothing by itself. */
export function withAgent(): void {
  beforeEach(async () => {
    world = await startController()
    speakBy(...(await join('os::00256D-S1', IDENTITY)))
  })
  afterEach(() => world.stop())
}

/** Another Agent, or another link, takes the place of the first one. */
export function speakBy(one: RawAgent, its: Contact): void {
  agent = one
  contact = its
}

export async function join(eid: string, identity: typeof IDENTITY): Promise<[RawAgent, Contact]> {
  const one = await world.connect(eid)
  one.serve(identity)
  one.hello()
  const its = await world.contact()
  one.answer = () => undefined
  return [one, its]
}

const hooksOf = (over: Partial<ExecuteHooks>): ExecuteHooks => ({
  beforeSend: async () => undefined,
  signal: new AbortController().signal,
  timeoutMs: 60_000,
  ...over,
})

/**
 * Runs an operation; what it rejects with is a result too, so that nothing is unhandled while the test does other
 * things.
 */
export async function run(request: OperationRequest, hooks: Partial<ExecuteHooks> = {}, by = contact) {
  const operation: Operation = {
    id: `op-${++ids}`,
    deviceId: deviceIdOf(IDENTITY),
    request,
    state: 'queued',
    actor: { kind: 'apiKey', id: 'test' },
    createdAt: 0,
    expiresAt: 1,
    attempts: 0,
  }
  try {
    return await by.execute(operation, hooksOf(hooks))
  } catch (error) {
    return { rejected: error }
  }
}

export const uptime = (msgId: string, value: string): Msg => responseMsg(msgId, 'get_resp', values({ [UPTIME]: value }))

/** The requests that the Agent has got. */
export const asked = (from = agent) => from.inbox.flatMap((msg) => (msg.kind === 'request' ? [msg] : []))
