import { expect, it } from 'vitest'
import { OperationRequestSchema } from '../../../src/api/schemas/operation-request.ts'

const set = (value: unknown) =>
  OperationRequestSchema.safeParse({ verb: 'set', values: [{ path: 'Device.X_ACME_A', value }] })

it.each([
  ['text', 'text'],
  [1, '1'],
  [-1.5, '-1.5'],
  [true, 'true'],
  [false, 'false'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
])('a value may be any JSON scalar: %o', (given, text) => {
  expect(set(given).data).toMatchObject({ values: [{ value: text }] })
})

it.each([[2 ** 53], [2 ** 64], [1e30], [1e-9], [null], [{}], [['a']]])(
  'a number whose digits JSON may have lost, and what is no scalar, is none: %o',
  (given) => {
    expect(set(given).success).toBe(false)
  },
)

it('so may the values of a row and the arguments of a command', () => {
  expect(OperationRequestSchema.parse({ verb: 'add', object: 'Device.A.', values: { Enable: true } })).toMatchObject({
    values: { Enable: 'true' },
  })
  expect(OperationRequestSchema.parse({ verb: 'operate', command: 'Device.A()', input: { N: 4 } })).toMatchObject({
    input: { N: '4' },
  })
})
