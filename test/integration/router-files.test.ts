import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { deviceIdOf, type Operation } from '../../src/domain/index.ts'
import { FileServer } from '../../src/files/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Fleet, SimulatedDevice } from '../../src/simulator/index.ts'
import { type FileServer as PackageServer, startFileServer } from '../support/file-server.ts'
import { fleetAt } from '../support/simulated-fleet.ts'
import { type ServerWithStore, startServerWithStore, startTestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface OperationView {
  id: string
  state: string
  request: { verb: string; parameters?: Record<string, string> }
  result?: { outcome: string; error?: { code: string; text: string } }
}
interface ProblemView {
  type: string
  detail: string
  confirm: string
  expiresAt: string
  preview?: string
  missing?: string[]
}

const SECRET = 'a long "secret"'
const FILES = ['routeros', 'tr069-client', 'wifi-qcom'].map((name) => `${name}-7.19.1-arm64.npk`)
const NAME = 'Device.DeviceInfo.X_MIKROTIK_SystemIdentity'

let packages: PackageServer
let world: ServerWithStore
let fleet: Fleet

const isRouter = ({ identity: { oui } }: SimulatedDevice) => oui === '48A98A'
const device = (n: number) => fleet.devices.filter(isRouter)[n] as SimulatedDevice
const pathOf = ({ identity }: SimulatedDevice) => `/devices/${encodeURIComponent(deviceIdOf(identity))}`
const at = (n: number) => pathOf(device(n))
const post = <T>(path: string, body: unknown, headers?: Record<string, string>) =>
  world.call<T>('POST', path, body, headers)
const submit = (n: number, request: object, headers?: Record<string, string>) =>
  post<OperationView & ProblemView>(`${at(n)}/operations?wait=30s`, request, headers)
const identity = (name: string) => ({ verb: 'script', template: 'identity', parameters: { name } })

/** Submits a request, and again with the token of the refusal. */
async function confirmed(n: number, request: object, headers?: Record<string, string>) {
  const { status, body } = await submit(n, request, headers)
  expect({ status, type: body.type, detail: body.detail }).toMatchObject({
    status: 409,
    type: 'urn:isthmus:problem:confirmationNeeded',
  })
  return submit(n, { ...request, confirm: body.confirm }, headers)
}

async function allow(n: number, policy: object = { level: 'L3' }): Promise<void> {
  expect((await world.call('PUT', `${at(n)}/router-policy`, policy)).status).toBe(200)
}

beforeAll(async () => {
  packages = await startFileServer(Object.fromEntries(FILES.map((name) => [name, Buffer.from('package')])))
  world = await startServerWithStore(inject('mongodbUri'), { routerPackageUrls: packages.url('') })
  const { server } = world
  fleet = fleetAt(server, {
    mix: { mikrotikV7: 4, dualStack: 1 },
    faultEvery: 1,
    faultKinds: ['tr181NoAgent'],
    faults: [[], ['keyOnEvent'], ['deviceModeHome'], []],
    tls: false,
  })
  await fleet.start()
  for (const one of fleet.devices.filter(isRouter)) {
    const path = `${pathOf(one)}/parameters?path=Device.DeviceInfo.`
    await until(
      async () => JSON.stringify((await world.call('GET', path)).body).includes('X_MIKROTIK_ArchName'),
      60_000,
    )
  }
})
afterAll(async () => {
  await fleet?.stop(false)
  await world?.stop()
  await packages?.stop()
})

describe('a script on a MikroTik router over CWMP', () => {
  it('is of a template that the API lists with the types of its parameters', async () => {
    const { body } = await world.call<{ items: { name: string; parameters: object[] }[] }>('GET', '/script-templates')
    const account = body.items.find(({ name }) => name === 'bridge-account')
    expect(account?.parameters).toContainEqual(
      expect.objectContaining({ name: 'password', type: 'text', required: true, secret: true }),
    )
  })

  it('needs the policy L3 of the router, which other devices do not have', async () => {
    const refused = await submit(0, identity('core-1'))
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringMatching(/policy L3/)])
    expect((await world.call('GET', `${at(0)}/router-policy`)).body).toEqual({ level: 'L2' })
    await allow(0)
    expect((await world.call('GET', `${at(0)}/router-policy`)).body).toEqual({ level: 'L3' })
    const other = pathOf(fleet.devices.find((one) => !isRouter(one)) as SimulatedDevice)
    expect((await world.call('PUT', `${other}/router-policy`, { level: 'L3' })).status).toBe(404)
    const { body } = await post<ProblemView>(`${other}/operations`, identity('core-1'))
    expect(body.detail).toMatch(/for MikroTik routers alone/)
  })

  it('is shown before it is confirmed, runs once, and ends with the TransferComplete of the router', async () => {
    const shown = await submit(0, identity('core "1"'))
    expect(shown.status).toBe(409)
    expect(shown.body.preview).toBe('# identity\n/system identity set name="core \\221\\22"\n')
    expect(device(0).scripts).toEqual([])
    const done = await submit(0, { ...identity('core "1"'), confirm: shown.body.confirm })
    expect(done.body).toMatchObject({ state: 'done', result: { outcome: 'done' } })
    expect(device(0).tree.raw(NAME)).toBe('core "1"')
    const again = await submit(0, { ...identity('core "1"'), confirm: shown.body.confirm })
    expect(again.body.id).toBe(done.body.id)
    expect(device(0).scripts).toEqual([shown.body.preview])
    expect(device(0).reboots).toBe(0)
  })

  it('is not confirmed by the token of another request, device or key', async () => {
    const { body } = await submit(0, identity('one'))
    await allow(1)
    for (const [n, request, headers] of [
      [0, identity('two'), undefined],
      [1, identity('one'), undefined],
      [0, identity('one'), { 'idempotency-key': 'k' }],
    ] as const) {
      const answer = await submit(n, { ...request, confirm: body.confirm }, headers)
      expect([answer.status, answer.body.type]).toEqual([409, 'urn:isthmus:problem:confirmationNeeded'])
    }
    expect((await submit(0, { ...identity('one'), confirm: 'x'.repeat(64) })).status).toBe(409)
    expect(device(0).tree.raw(NAME)).toBe('core "1"')
  })

  it('ends by the CommandKey of M Download alone, too', async () => {
    const { body } = await confirmed(1, identity('edge-1'), { 'idempotency-key': 'edge' })
    expect(body).toMatchObject({ state: 'done' })
    expect(device(1).tree.raw(NAME)).toBe('edge-1')
  })

  it('gives a password to the router, and to no answer, preview or audit entry', async () => {
    const request = {
      verb: 'script',
      template: 'bridge-account',
      parameters: { password: SECRET, addresses: '192.0.2.10', policies: 'api,read,write' },
    }
    const shown = await submit(0, request)
    const done = await submit(0, { ...request, confirm: shown.body.confirm })
    expect(done.body).toMatchObject({ state: 'done', request: { parameters: { password: '[secret]' } } })
    expect(
      device(0)
        .router?.rows('/user')
        .find(({ name }) => name === 'isthmus'),
    ).toMatchObject({ password: SECRET })
    const audit = await world.call<{ items: { action: string }[] }>('GET', '/audit?limit=100')
    expect(audit.body.items.filter(({ action }) => action === 'operation.script').length).toBeGreaterThan(1)
    const operations = await world.call('GET', '/operations?limit=100')
    for (const answer of [shown.body, done.body, audit.body, operations.body]) {
      expect(JSON.stringify(answer)).not.toContain('a long')
      expect(JSON.stringify(answer)).not.toContain('secret\\22')
    }
  })

  it('is refused for values and names that its template does not take', async () => {
    const detail = async (request: object) => (await submit(0, request)).body.detail
    expect(await detail({ verb: 'script', template: 'reset', parameters: {} })).toMatch(/template is one of identity,/)
    expect(await detail(identity('a\nb'))).toMatch(/name is not text/)
    expect(await detail({ ...identity('a'), parameters: { name: 'a', script: 'x' } })).toMatch(/script is no parameter/)
  })

  it('that fails at the router fails with its fault', async () => {
    await allow(2)
    const parameters = { date: '2030-03-01', time: '03:00' }
    const { body } = await confirmed(2, { verb: 'script', template: 'reboot-at', parameters })
    expect(body).toMatchObject({ state: 'failed', result: { error: { code: '9010' } } })
    expect(device(2).router?.rows('/system/scheduler')).toEqual([])
  })
})

describe('packages for a MikroTik router over CWMP', () => {
  const upgrade = (files = FILES) => ({ verb: 'upgrade', packages: files.map((name) => packages.url(name)) })

  it('need the policy L3, and packages that the record or the policy names', async () => {
    expect((await submit(3, upgrade())).status).toBe(409)
    expect((await submit(3, upgrade())).body.detail).toMatch(/installed packages of the router are not known/)
    await allow(3, { level: 'L2', packages: ['routeros', 'wifi-qcom'] })
    expect((await submit(3, upgrade())).status).toBe(403)
    await allow(3, { level: 'L3', packages: ['routeros', 'wifi-qcom'] })
  })

  it('are refused where one is missing, which the refusal names, and from other places', async () => {
    const { status, body } = await submit(3, upgrade(FILES.slice(0, 1)))
    expect([status, body.missing]).toEqual([400, ['tr069-client', 'wifi-qcom']])
    expect(body.detail).toMatch(/^packages lacks tr069-client, wifi-qcom:/)
    const foreign = { verb: 'upgrade', packages: FILES.map((name) => `http://192.0.2.1/${name}`) }
    expect((await submit(3, foreign)).body.detail).toMatch(/below none of the places/)
    expect(packages.asked).toEqual([])
  })

  it('are listed in a descriptor that the router fetches, and end with the boot that shows the version', async () => {
    const shown = await submit(3, upgrade())
    expect(shown.body.preview).toContain(`<url>${packages.url(FILES[0] ?? '')}</url>`)
    const { body } = await submit(3, { ...upgrade(), confirm: shown.body.confirm })
    const read = async () => (await world.call<OperationView>('GET', `/operations/${body.id}`)).body
    await until(async () => (await read()).state === 'done', 60_000)
    expect(packages.asked.map(({ name }) => name)).toEqual(FILES)
    expect(device(3).tree.raw('Device.DeviceInfo.SoftwareVersion')).toBe('7.19.1')
    expect(device(3).cpe?.running).toBe(true)
    expect((await submit(3, upgrade())).body.detail).toMatch(/not newer than 7.19.1/)
  })
})

it('a file is given by another process with the same key, as after a restart, with the operation as it stands', {
  timeout: 120_000,
}, async () => {
  const { store, server } = world
  const operation: Operation = {
    id: createIdSource(systemClock, systemRandom)(),
    deviceId: deviceIdOf(device(0).identity),
    request: { verb: 'script', template: 'identity', parameters: { name: 'core-2' } },
    state: 'queued',
    actor: { kind: 'system', id: 'test' },
    createdAt: Date.now(),
    expiresAt: Date.now() + 60_000,
    attempts: 0,
  }
  await store.operations.create(operation)
  await store.operations.markSent(operation.id, { at: Date.now(), via: 'cwmp', instance: 'x' })
  const box = createSecretBox('test', systemRandom)
  const files = new FileServer({
    sources: {},
    mac: (purpose, text) => box.mac(purpose, text),
    clock: systemClock,
    log: silentLog,
  })
  const second = await startTestServer(inject('mongodbUri'), {
    databaseName: server.databaseName,
    secretKey: 'test',
  })
  try {
    const of = (id: string) =>
      files.urlOf(`http://127.0.0.1:${second.cwmpPort}`, { kind: 'operation', id, name: 'identity.alter' })
    expect(await (await fetch(of(operation.id))).text()).toContain('set name="core-2"')
    await world.call('DELETE', `/operations/${operation.id}?giveUp=true`)
    expect((await fetch(of(operation.id))).status).toBe(404)
  } finally {
    await second.stop()
  }
})

it('a file is given to nobody once its operation has ended, and by no address of another form', async () => {
  const base = `http://127.0.0.1:${world.server.cwmpPort}`
  const { body } = await world.call<{ items: OperationView[] }>('GET', '/operations?limit=100')
  const [ended] = body.items.filter(({ request }) => request.verb === 'script')
  for (const code of ['0'.repeat(32), 'f'.repeat(32)]) {
    const answer = await fetch(`${base}/files/operation/${ended?.id}/zzzzzzzz.${code}/identity.alter`)
    expect([answer.status, await answer.text()]).toEqual([404, ''])
  }
})
