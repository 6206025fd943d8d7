import { describe, expect, it } from 'vitest'
import { execute } from '../../../src/cwmp/acs/execute.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/values.ts'
import type { CwmpFault } from '../../../src/cwmp/wire/index.ts'
import type { ExecuteHooks, Operation, OperationRequest } from '../../../src/device/index.ts'
import { type Asked, scriptedSession } from '../../support/cwmp-script.ts'

type Answer = Parameters<typeof scriptedSession>[0]

const hooks: ExecuteHooks = {
  beforeSend: () => Promise.resolve(),
  signal: new AbortController().signal,
  timeoutMs: 1000,
}
const types = new ParameterTypes()

/** Runs one request over a scripted CPE. */
function run(request: OperationRequest, answer: Answer, options: { leavesAfter?: number } = {}) {
  const { session, asked } = scriptedSession(answer, options)
  const operation: Operation = {
    id: '01h',
    deviceId: session.deviceId,
    request,
    state: 'queued',
    actor: { kind: 'system', id: 'test' },
    createdAt: 0,
    expiresAt: 1,
    attempts: 0,
  }
  const result = execute(session, operation, hooks, { types, forgetCredential: () => Promise.resolve() })
  return { result, asked }
}

const created = ({ name }: Asked): ReturnType<Answer> => {
  if (name === 'GetParameterNames') return { ParameterList: [] }
  return name === 'AddObject' ? { InstanceNumber: 3, Status: 0 } : { Status: 0 }
}

describe('an effect of several RPCs', () => {
  const add: OperationRequest = { verb: 'add', object: 'Device.NAT.PortMapping.', values: { Description: 'x' } }

  it('is not taken for unsent when the connection goes after AddObject: the row is there', async () => {
    const { result, asked } = run(add, created, { leavesAfter: 2 })
    await expect(result).rejects.toMatchObject({ name: 'TransportError', sent: true })
    expect(asked.map(({ name }) => name)).toEqual(['GetParameterNames', 'AddObject'])
  })

  it('is unsent as long as AddObject did not leave', async () => {
    await expect(run(add, created, { leavesAfter: 1 }).result).rejects.toMatchObject({ sent: false })
  })

  it('is not taken for unsent when the connection goes after the first of several deletes', async () => {
    const paths = ['Device.NAT.PortMapping.1.', 'Device.NAT.PortMapping.2.']
    const { result } = run({ verb: 'delete', paths }, created, { leavesAfter: 1 })
    await expect(result).rejects.toMatchObject({ sent: true })
  })

  it('names the row that could not be taken back after its values were refused', async () => {
    const fault: CwmpFault = { code: 9003, text: 'no', parameters: [] }
    const { result } = run(add, (request) => {
      if (request.name === 'SetParameterValues') return fault
      return request.name === 'DeleteObject' ? 9002 : created(request)
    })
    expect(await result).toMatchObject({
      outcome: 'failed',
      results: [{ path: add.object, created: 'Device.NAT.PortMapping.3.' }],
      error: { code: '9003' },
    })
  })
})
