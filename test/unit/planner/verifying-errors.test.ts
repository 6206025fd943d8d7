import { describe, expect, it } from 'vitest'
import {
  deviceIdOf,
  failedResult,
  type NewOperation,
  type Operation,
  type OperationRequest,
  type OperationResult,
  outcomeError,
} from '../../../src/domain/index.ts'
import { Script, type ScriptDeps } from '../../../src/planner/machine/script.ts'
import { notifies } from '../../../src/planner/states/notifies.ts'
import { harmlessSet } from '../../../src/planner/states/probe.ts'
import { planOf } from '../../support/plans.ts'

const DEVICE = deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial: '1' })
const ROW = 'Device.LocalAgent.Controller.2.'

/** A script of VERIFYING on a device that answers so; it notifies of each change. */
function scriptOf(refusal: (request: OperationRequest) => OperationResult | undefined): Script {
  const values = new Map<string, string>()
  const play = ({ request, idempotencyKey: id, thenRead }: NewOperation): Partial<Operation> => {
    const refused = refusal(request)
    if (refused !== undefined) return { id: id ?? '', state: 'failed', result: refused }
    if (request.verb === 'set') for (const { path, value } of request.values) values.set(path, value)
    const answers = thenRead === undefined || refusal({ verb: 'get', paths: thenRead }) === undefined
    const read = answers ? thenRead?.map((path) => ({ path, value: values.get(path) ?? '' })) : undefined
    const result: OperationResult = { outcome: 'done', results: [], ...(read === undefined ? {} : { read }) }
    return { id: id ?? '', state: 'done', result }
  }
  const deps = {
    time: { now: () => 1000, startedAt: 0, silenceCountsFrom: 0, wallTime: (ms: number) => ms },
    operations: { submit: async (wanted: NewOperation) => play(wanted) },
    devices: { get: async () => ({ id: DEVICE }) },
    notifies: { position: async () => '', heard: async () => true },
  } as unknown as ScriptDeps
  const member = {
    id: `p1|${DEVICE}`,
    planId: 'p1',
    deviceId: DEVICE,
    state: 'VERIFYING' as const,
    step: '',
    done: [],
    facts: { controllerRow: ROW },
    attempt: 1,
    visit: 3,
    history: [],
    enteredAt: 1,
    enteredMs: 1,
    revision: 7,
  }
  return new Script(planOf(), member, deps, async (_before, after) => after)
}

it('a read that an Agent refuses after a write is not told as a refusal of the write', async () => {
  const refused = failedResult(outcomeError('7006', 'permission denied'))
  const script = scriptOf(({ verb }) => (verb === 'get' ? refused : undefined))
  await expect(harmlessSet(script, ['Device.DeviceInfo.SerialNumber'])).rejects.toThrow(
    'read after set ControllerCode: permission denied',
  )
})

describe('a value that an Agent refuses', () => {
  const refusing = (code: string, ofParameter?: string) =>
    scriptOf((request) => {
      if (request.verb !== 'set' || request.values[0]?.path !== `${ROW}ControllerCode`) return undefined
      const why = ofParameter === undefined ? [] : [{ path: ROW, error: outcomeError(ofParameter, 'why') }]
      return failedResult(outcomeError(code, 'refused', code === '7003'), why)
    })

  const refusals: [code: string, ofParameter?: string][] = [
    ['7002'],
    ['7004'],
    ['7006'],
    ['7007'],
    ['7008'],
    ['7009'],
    ['7010'],
    ['7013'],
    ['7014'],
    ['7015'],
    ['7016'],
    ['7020'],
    ['7020', '7013'],
    ['7020', '7003'],
    ['7021'],
    ['7021', '7012'],
    ['7026'],
    ['7200'],
    ['7800'],
    ['7000', '7013'],
    ['7003', '7006'],
  ]
  it.each(refusals)('with %s %s is not the last one that is tried', async (code, ofParameter) => {
    expect(await harmlessSet(refusing(code, ofParameter), [])).toMatchObject({ facts: { probe: 'ProvisioningCode' } })
  })

  it.each([
    ['7000', false],
    ['7001', false],
    ['7003', true],
    ['7005', false],
    ['unreachable', false],
    ['outcomeUnknown', false],
  ])('with %s, which says nothing of it, is', async (code, retryable) => {
    await expect(harmlessSet(refusing(code), [])).rejects.toMatchObject({ reason: { code }, retryable })
  })
})

describe('a timer that an Agent does not run for us', () => {
  const refusing = (code: string) =>
    scriptOf(({ verb }) => (verb === 'operate' ? failedResult(outcomeError(code, 'refused')) : undefined))

  it.each([
    '7000',
    '7001',
    '7002',
    '7003',
    '7005',
    '7006',
    '7008',
    '7022',
    '7027',
    '7800',
    'protocol',
    'outcomeUnknown',
  ])('with %s is replaced by a changed value', async (code) => {
    const script = refusing(code)
    await notifies(script)
    expect(script.facts).toMatchObject({ timer: 'none', notified: expect.stringMatching(/^ValueChange of /) })
  })

  it.each(['unreachable', 'bootstrap', 'conflict'])(
    'because of the device or its link (%s) is a failure',
    async (code) => {
      await expect(notifies(refusing(code))).rejects.toMatchObject({ reason: { code } })
    },
  )
})
