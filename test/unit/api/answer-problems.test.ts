import { expect, it } from 'vitest'
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
