import { describe, expect, it } from 'vitest'
import {
  asDeviceId,
  type Device,
  type LastWake,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type Protocol,
} from '../../../src/domain/index.ts'
import { DEFAULT_LIMITS } from '../../../src/operations/limits.ts'
import { waitingFor } from '../../../src/operations/waiting-for.ts'
import { createWorld, set as setting } from '../../support/operations-world.ts'

const NOW = 10_000_000
const PENDING: OperationResult = { outcome: 'pending', results: [] }
const set: OperationRequest = { verb: 'set', values: [{ path: 'Device.X', value: '1' }] }
const get: OperationRequest = { verb: 'get', paths: ['Device.X'] }
const reboot: OperationRequest = { verb: 'reboot' }
const command: OperationRequest = { verb: 'operate', command: 'Device.X()', input: {} }

let next = 0
const op = (request: OperationRequest, more: Partial<Operation> = {}): Operation => ({
  id: `op${next++}`,
  deviceId: asDeviceId('00256D-Box-1'),
  request,
  state: 'queued',
  actor: { kind: 'apiKey', id: 'k' },
  createdAt: NOW - 1000,
  expiresAt: NOW + 1000,
  attempts: 0,
  ...more,
})
const sent = (request: OperationRequest, more: Partial<Operation> = {}) =>
  op(request, { state: 'sent', sentAt: NOW - 500, sentVia: 'cwmp', ...more })
const accepted = (request: OperationRequest, more: Partial<Operation> = {}) =>
  sent(request, { result: PENDING, ...more })

const cwmp = { lastInformAt: NOW - 60_000, events: [], version: '1.2' }
const asked = (outcome: LastWake['outcome'], at = NOW - 1000) =>
  ({ at, firstAt: at, way: 'connectionRequest', outcome }) as const
type Facts = Pick<Device, 'owner' | 'migration' | 'cwmp' | 'usp'>
const byCwmp: Facts = { owner: 'cwmp', cwmp }
const byUsp: Facts = { owner: 'usp', cwmp: { ...cwmp, lastInformAt: NOW - 9_000_000_000 } }

/** The reason of the last of these operations. */
function reason(open: Operation[], device: Facts, here: Protocol[] = [], since = 1): string | undefined {
  const last = open.at(-1)
  if (last === undefined) return undefined
  const contacts = new Map(here.map((protocol) => [protocol, { since, asked: new Map() }] as const))
  const text = waitingFor(last, { open, device, here: contacts, now: NOW, limits: DEFAULT_LIMITS })
  return open.reduce((shown, { id }, i) => shown?.replace(id, `#${i}`), text)
}

describe('what an operation waits for', () => {
  const rows: [string, Operation[], Facts, Protocol[], string | undefined][] = [
    ['the next session of a CPE', [op(set)], byCwmp, [], 'inform'],
    [
      'a session that was asked for in vain',
      [op(set)],
      { ...byCwmp, cwmp: { ...cwmp, lastWake: asked('basicOnly') } },
      [],
      'connectionRequest basicOnly',
    ],
    [
      'a session that was asked for in vain before the last one',
      [op(set)],
      { ...byCwmp, cwmp: { ...cwmp, lastWake: asked('refused', NOW - 70_000) } },
      [],
      'inform',
    ],
    [
      'a session that the CPE has promised',
      [op(set)],
      { ...byCwmp, cwmp: { ...cwmp, lastWake: asked('ok') } },
      [],
      'inform',
    ],
    ['its turn', [op(set)], byCwmp, ['cwmp'], 'turn'],
    ['the Agent', [op(set)], byUsp, [], 'uspLink'],
    ['the Agent, while CWMP is there', [op(set)], { owner: 'usp', cwmp }, [], 'uspLink or owner change'],
    ['a link that another instance holds', [op(set)], { ...byUsp, usp: { linked: true, lastSeenAt: NOW } }, [], 'turn'],
    [
      'an Agent that is silent',
      [op(set)],
      { ...byUsp, usp: { linked: true, answering: false, lastSeenAt: NOW } },
      [],
      'uspLink',
    ],
    [
      'a session, not the link of a device that was rolled back',
      [op(get)],
      { ...byCwmp, migration: { planId: 'p', state: 'ROLLED_BACK', at: 1 } },
      ['usp'],
      'inform',
    ],
    ['a read goes over what is there', [op(get)], byUsp, ['cwmp'], 'turn'],
    ['a read of a device that can be asked to come', [op(get)], byUsp, [], 'inform'],
    ['a read of an Agent alone', [op(get)], { owner: 'usp' }, [], 'uspLink'],
    ['an earlier one with the same reason', [op(set), op(set)], byCwmp, [], 'inform'],
    ['an earlier one that waits for something else', [op(set), op(get)], byUsp, ['cwmp'], 'operation #0 (set)'],
    ['an earlier one that is about to run', [op(set), op(set)], byCwmp, ['cwmp'], 'operation #0 (set)'],
    ['no read tied to the other protocol', [op(get, { via: 'usp' }), op(set)], byCwmp, ['cwmp'], 'turn'],
    [
      'no write of the planner that is tied to the other protocol',
      [op(set, { via: 'cwmp' }), op(set)],
      { ...byUsp, usp: { linked: true, lastSeenAt: 1 } },
      ['usp'],
      'turn',
    ],
    ['one that runs', [sent(set), op(set)], byCwmp, ['cwmp'], 'device busy with operation #0 (set)'],
    ['a reboot', [accepted(reboot), op(set)], byCwmp, ['cwmp'], 'device busy with operation #0 (reboot)'],
    [
      'a reboot, for a moment, to read',
      [accepted(reboot), op(get)],
      byCwmp,
      ['cwmp'],
      'device busy with operation #0 (reboot)',
    ],
    [
      'no reboot, to read, when it takes long',
      [accepted(reboot, { sentAt: NOW - 30_000 }), op(get)],
      byCwmp,
      ['cwmp'],
      'turn',
    ],
    ['no command that runs', [accepted(command), op(set)], byCwmp, ['cwmp'], 'turn'],
    [
      'a command that runs, to reboot',
      [accepted(command), op(reboot)],
      byCwmp,
      ['cwmp'],
      'device busy with operation #0 (operate)',
    ],
    ['the answer', [sent(set)], byCwmp, ['cwmp'], 'answer'],
    ['the boot', [accepted(reboot)], byCwmp, [], 'boot'],
    ['the file', [accepted({ verb: 'download', url: 'http://a/' })], byCwmp, [], 'transfer'],
    ['the end of a command', [accepted(command)], byCwmp, [], 'completion'],
    ['a contact over which its lost outcome is read', [sent(set, { state: 'unknown' })], byCwmp, [], 'inform'],
    ['nothing when it has ended', [op(set, { state: 'done' })], byCwmp, [], undefined],
  ]
  it.each(rows)('%s', (_name, open, device, here, expected) => {
    expect(reason(open, device, here)).toBe(expected)
  })

  it('is read for all open operations, without a write', async () => {
    const world = createWorld({ device: { owner: 'usp' } })
    const waiting = await world.submit(setting('Device.X_A', '1'))
    const cancelled = await world.submit(setting('Device.X_A', '2'))
    await world.room.cancel(cancelled.id, { kind: 'apiKey', id: 'k' })
    const events = world.stores.inside.events.length
    const all = [world.operation(waiting.id), world.operation(cancelled.id)]
    expect([...(await world.room.waitingFor(all))]).toEqual([[waiting.id, 'uspLink']])
    expect(world.stores.inside.events.length).toBe(events)
  })
})
