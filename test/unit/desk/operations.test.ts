import { expect, it } from 'vitest'
import { submitOperation } from '../../../src/desk/index.ts'
import {
  asDeviceId,
  type NewOperation,
  type Operation,
  type OperationRequest,
  type Principal,
  type Role,
} from '../../../src/domain/index.ts'

const deviceId = asDeviceId('00256D-C-1')
const now = { timeoutMs: undefined, stopping: new AbortController().signal }
const as = (...roles: Role[]): Principal => ({ kind: 'apiKey', id: 'k1', roles, groups: ['noc'] })

/** An engine that accepts everything, and what it was given. */
function engine() {
  const given: NewOperation[] = []
  return {
    given,
    submit: async (wanted: NewOperation) => {
      given.push(wanted)
      return { ...wanted, id: 'o1', state: 'queued', createdAt: 1, expiresAt: 2, attempts: 0 } as Operation
    },
    wait: async () => undefined,
  }
}

it.each<OperationRequest>([{ verb: 'get', paths: ['Device.'] }, { verb: 'reboot' }])(
  'an operation $verb needs the permission of its verb',
  async (request) => {
    const operations = engine()
    await expect(submitOperation(operations, { deviceId, request }, now, as('reader'))).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/^apiKey:k1 may not (get|reboot): the permission verbs\.\w+ is missing/),
    })
    expect(operations.given).toEqual([])
    await submitOperation(operations, { deviceId, request }, now, as('writer'))
    expect(operations.given).toHaveLength(1)
  },
)

it('an operation stores the actor of a principal without its roles, and its key under that actor', async () => {
  const operations = engine()
  const request = { verb: 'reboot' } as const
  await submitOperation(operations, { deviceId, request, idempotencyKey: 'once' }, now, as('writer'))
  expect(operations.given).toEqual([
    { deviceId, request, actor: { kind: 'apiKey', id: 'k1' }, idempotencyKey: 'apiKey:k1:once' },
  ])
})
