import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import {
  type DeviceId,
  type SupportedModel,
  type SupportedModelObject,
  supportedModelDigest,
  supportedModelId,
} from '../../src/domain/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const KEY = 'Acme|Box|1.0'
const object = (path: string, params: string[] = []): SupportedModelObject => ({
  path,
  access: 'readOnly',
  multi: false,
  params: params.map((name) => ({ name, writable: true, readable: true, type: 'string' })),
  commands: [],
  events: [],
  uniqueKeys: [],
})
function model(objects: SupportedModelObject[], describedBy: string[]): SupportedModel {
  const digest = supportedModelDigest(objects)
  return { id: supportedModelId(KEY, digest), key: KEY, digest, describedBy: describedBy as DeviceId[], objects, at: 1 }
}

describe('the digest of a supported model', () => {
  it('does not depend on the order in which an Agent tells it, and on everything else', () => {
    const told = [object('Device.A.', ['X', 'Y']), object('Device.B.')]
    const digest = supportedModelDigest(told)
    expect(supportedModelDigest([object('Device.B.'), object('Device.A.', ['Y', 'X'])])).toBe(digest)
    for (const other of [
      [object('Device.A.', ['X']), object('Device.B.')],
      [object('Device.A.', ['X', 'Y']), object('Device.B.'), object('Device.C.')],
      [object('Device.A.', ['X', 'Y']), { ...object('Device.B.'), multi: true }],
      [object('Device.A.', ['X', 'Y']), { ...object('Device.B.'), events: [{ name: 'Boot!', args: [] }] }],
    ])
      expect(supportedModelDigest(other)).not.toBe(digest)
  })
})

describe('the list of supported models', () => {
  const SECRET = 'models'
  let server: TestServer
  let store: Store
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'), { secretKey: SECRET })
    const secretBox = createSecretBox(SECRET, systemRandom)
    store = await testStore(inject('mongodbUri'), { databaseName: server.databaseName, secretBox })
  })
  afterAll(async () => {
    await server.stop()
    await store.close()
  })
  async function call<T>(method: string, path: string) {
    const headers = { authorization: `Bearer ${server.firstKey}` }
    const response = await fetch(`http://127.0.0.1:${server.apiPort}/api/v1${path}`, { method, headers })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as T }
  }

  it('shows who told what and what is confirmed, and drops what an operator does not believe', async () => {
    const first = model([object('Device.A.', ['X'])], ['00256D-Box-1'])
    const second = model([object('Device.B.')], ['00256D-Box-2', '00256D-Box-3'])
    for (const one of [first, second]) await store.supportedModels.put(one)
    const { body } = await call<{ items: { id: string }[] }>('GET', '/supported-models')
    const shown = ({ id, digest, describedBy }: SupportedModel, confirmed: boolean) => ({
      id,
      key: KEY,
      digest,
      describedBy,
      confirmed,
      objectCount: 1,
      at: new Date(1).toISOString(),
    })
    const expected = [shown(first, false), shown(second, true)].sort((a, b) => (a.id < b.id ? -1 : 1))
    expect(body.items).toEqual(expected)
    expect((await call('DELETE', `/supported-models/${first.id}`)).status).toBe(204)
    expect((await call('DELETE', `/supported-models/${first.id}`)).status).toBe(404)
    expect((await store.supportedModels.of(KEY)).map(({ id }) => id)).toEqual([second.id])
    const audit = await call<{ items: unknown[] }>('GET', `/audit?target=${first.id}`)
    expect(audit.body.items).toMatchObject([
      { action: 'supportedModel.delete', before: { describedBy: ['00256D-Box-1'] } },
    ])
    const events = await call<{ items: unknown[] }>('GET', '/events?type=supportedModel.deleted')
    expect(events.body.items).toMatchObject([{ data: { model: KEY, id: first.id } }])
  })

  it('notes each device that confirms one once', async () => {
    const one = model([object('Device.C.')], [])
    await store.supportedModels.put(one)
    for (let i = 0; i < 3; i++)
      for (let twice = 0; twice < 2; twice++) await store.supportedModels.confirm(one.id, `00256D-Box-${i}` as DeviceId)
    expect((await store.supportedModels.get(one.id))?.describedBy).toEqual([0, 1, 2].map((i) => `00256D-Box-${i}`))
  })
})
