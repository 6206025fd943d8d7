import { expect, it } from 'vitest'
import { OperationRequestSchema } from '../../../src/api/schemas/operation-request.ts'
import { AppError } from '../../../src/base/index.ts'
import { loadModel, type Model, type ModelName } from '../../../src/datamodel/index.ts'
import { type OperationRequest, REQUEST_BOUNDS } from '../../../src/domain/index.ts'
import { validate } from '../../../src/operations/validate.ts'

const models = new Map<ModelName, Model>()
function model(name: ModelName): Model {
  const loaded = models.get(name) ?? loadModel(name)
  models.set(name, loaded)
  return loaded
}

function operationsTake(request: OperationRequest): boolean {
  try {
    validate(request, { device: { owner: 'usp', root: 'Device.' }, protocol: 'usp', model })
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid') return false
    throw error
  }
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const names = (count: number): Record<string, string> => Object.fromEntries(times(count, (i) => [`X_ACME_${i}`, 'v']))
const text = (length: number) => 'x'.repeat(length)
const path = (length: number) => `Device.X_ACME_${text(length - 'Device.X_ACME_'.length)}`
const url = (length: number) => `http://h/${text(length - 'http://h/'.length)}`
const { download } = REQUEST_BOUNDS

/** A request of each kind that reaches `size`, and the bound that it may reach. */
const ROWS: [string, number, (size: number) => OperationRequest][] = [
  ['paths of a get', REQUEST_BOUNDS.paths, (n) => ({ verb: 'get', paths: times(n, (i) => `Device.X_ACME_${i}`) })],
  ['length of a path', REQUEST_BOUNDS.pathLength, (n) => ({ verb: 'get', paths: [path(n)] })],
  ['depth of a get', REQUEST_BOUNDS.depth, (n) => ({ verb: 'get', paths: ['Device.'], maxDepth: n })],
  [
    'values of a set',
    REQUEST_BOUNDS.values,
    (n) => ({ verb: 'set', values: times(n, (i) => ({ path: `Device.X_ACME_${i}`, value: '' })) }),
  ],
  [
    'length of a value',
    REQUEST_BOUNDS.valueLength,
    (n) => ({ verb: 'set', values: [{ path: 'Device.X_ACME_A', value: text(n) }] }),
  ],
  ['values of an add', REQUEST_BOUNDS.values, (n) => ({ verb: 'add', object: 'Device.X_ACME_T.', values: names(n) })],
  [
    'length of a name of an add',
    REQUEST_BOUNDS.nameLength,
    (n) => ({ verb: 'add', object: 'Device.X_ACME_T.', values: { [text(n)]: '' } }),
  ],
  [
    'rows of a delete',
    REQUEST_BOUNDS.rows,
    (n) => ({ verb: 'delete', paths: times(n, (i) => `Device.X_ACME_T.${i + 1}.`) }),
  ],
  [
    'arguments of a command',
    REQUEST_BOUNDS.arguments,
    (n) => ({ verb: 'operate', command: 'Device.X_ACME_Do()', input: names(n) }),
  ],
  [
    'references of a subscription',
    REQUEST_BOUNDS.references,
    (n) => ({
      verb: 'subscribe',
      id: 's',
      notifType: 'ValueChange',
      paths: times(n, (i) => `Device.X_ACME_${i}`),
      enable: true,
    }),
  ],
  [
    'length of a reference',
    REQUEST_BOUNDS.referenceLength,
    (n) => ({ verb: 'subscribe', id: 's', notifType: 'ValueChange', paths: [path(n)], enable: true }),
  ],
  [
    'length of the ID of a subscription',
    REQUEST_BOUNDS.subscriptionIdLength,
    (n) => ({ verb: 'subscribe', id: text(n), notifType: 'ValueChange', paths: ['Device.X_ACME_A'], enable: true }),
  ],
  ['length of a URL', download.url, (n) => ({ verb: 'download', url: url(n) })],
  ['length of a file type', download.fileType, (n) => ({ verb: 'download', url: url(20), fileType: text(n) })],
  ['length of a user name', download.username, (n) => ({ verb: 'download', url: url(20), username: text(n) })],
  ['length of a password', download.password, (n) => ({ verb: 'download', url: url(20), password: text(n) })],
  [
    'length of a file name',
    download.targetFileName,
    (n) => ({ verb: 'download', url: url(20), targetFileName: text(n) }),
  ],
  ['length of a version', download.version, (n) => ({ verb: 'download', url: url(20), version: text(n) })],
  ['size of a file', REQUEST_BOUNDS.fileSize, (n) => ({ verb: 'download', url: url(20), fileSize: n })],
]

it.each(ROWS)('the API and the operations accept the same %s: at most %i', (_, bound, request) => {
  expect(OperationRequestSchema.safeParse(request(bound)).error).toBeUndefined()
  expect(operationsTake(request(bound))).toBe(true)
  expect(OperationRequestSchema.safeParse(request(bound + 1)).success).toBe(false)
  expect(operationsTake(request(bound + 1))).toBe(false)
})
