import { expect, it } from 'vitest'
import type { DeviceId, Operation } from '../../../src/domain/index.ts'
import { operationProblems } from '../../support/api-description.ts'
import { answerProblems, type OpenApi } from '../../support/json-schema.ts'

const document: OpenApi = {
  paths: {
    '/things/{id}': {
      get: { responses: { 200: { content: { json: { schema: { $ref: '#/components/schemas/Thing' } } } } } },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: 'object',
        properties: { id: { type: 'string' }, parts: { type: 'array', items: { $ref: '#/components/schemas/Part' } } },
        required: ['id'],
      },
      Part: { type: 'object', properties: { kind: { type: 'string', enum: ['a', 'b'] } } },
    },
  },
}

it.each([
  [{ id: 'x', parts: [{ kind: 'a' }, {}] }, []],
  [{ parts: [] }, ['body.id is missing']],
  [{ id: 1 }, ['body.id is no string']],
  [{ id: 'x', more: 1 }, ['body.more is not described']],
  [{ id: 'x', parts: [{ kind: 'c' }] }, ['body.parts[0].kind is c, no a or b']],
  [{ id: 'x', parts: [{ size: 1 }] }, ['body.parts[0].size is not described']],
])('an answer %j differs from its description in %j', (body, expected) => {
  expect(answerProblems(document, { method: 'GET', path: '/things/1?x=2', status: 200, body })).toEqual(expected)
})

it('an operation is compared with the description of its verb alone', () => {
  const operation = {
    ...{ id: 'o', deviceId: 'd' as DeviceId, state: 'done', actor: { kind: 'apiKey', id: 'k' }, createdAt: 1 },
    ...{
      expiresAt: 2,
      attempts: 1,
      result: { outcome: 'done', results: [{ path: 'Device.A.', keys: { Alias: 'a' } }] },
    },
  }
  const of = (request: Operation['request']) => operationProblems({ ...operation, request } as Operation)
  expect(of({ verb: 'instances', paths: ['Device.A.'] })).toEqual([])
  expect(of({ verb: 'get', paths: ['Device.A.'] })).toEqual(['GetOperation.result.results[0].keys is not described'])
  expect(of({ verb: 'reboot' })).toEqual([
    'RebootOperation.result.results[0].error is missing',
    'RebootOperation.result.results[0].keys is not described',
  ])
})
