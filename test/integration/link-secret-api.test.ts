import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { WebSocket } from 'ws'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { deviceIdOf } from '../../src/domain/index.ts'
import { loadPresetModels, SimulatedDevice } from '../../src/simulator/index.ts'
import { Codec } from '../../src/usp/index.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

const FACTS = {
  manufacturer: 'Acme',
  oui: '00256D',
  productClass: 'Box',
  serial: 'LS1',
  modelName: 'H1',
  hardwareVersion: '1',
  softwareVersion: '1.0',
}
const ID = deviceIdOf(FACTS)
const EID = 'os::00256D-LS1'
const OWN = 'proto::isthmus'

let server: TestServer
let cpe: SimulatedDevice
beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'), { agentAdmission: 'open' })
  cpe = new SimulatedDevice({
    kind: 'uspOnly',
    facts: FACTS,
    faults: [],
    endpointId: EID,
    servers: {
      acsUrl: 'http://127.0.0.1:9/',
      enrolmentSecret: 'x',
      usp: { endpointId: OWN, host: '127.0.0.1', port: server.uspPort, path: '/usp', tls: false },
    },
    models: loadPresetModels(),
    codec: new Codec(),
    cwmpVersion: '1.2',
    listenHost: '127.0.0.1',
    timeScale: 50,
    informIntervalS: 300,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  cpe.start()
  await until(async () => (await device()).usp?.answering === true)
})
afterAll(async () => {
  cpe.stop(false)
  await server.stop()
})

async function call<T>(method: string, path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(`http://127.0.0.1:${server.apiPort}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${server.firstKey}` },
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as T }
}
type Shown = { usp?: { weakLink?: boolean; answering?: boolean; linked?: boolean } }
const device = async () => (await call<Shown>('GET', `/devices/${ID}`)).body
const path = () => cpe.tree.raw('Device.LocalAgent.Controller.1.MTP.1.WebSocket.Path') ?? ''
/** The HTTP status that a link of this path gets, or `open`. */
function dial(at: string): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.uspPort}${at}?eid=${encodeURIComponent(EID)}`, 'v1.usp')
  return new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('open', () => {
      socket.terminate()
      resolve('open')
    })
  })
}
async function renew(): Promise<string> {
  const { status, body } = await call<{ id: string }>('POST', `/devices/${ID}/link-secret`)
  expect(status).toBe(202)
  await until(async () => (await call<{ state: string }>('GET', `/operations/${body.id}`)).body.state === 'done')
  const before = path()
  await until(async () => {
    const { usp } = await device()
    return usp?.linked === true && usp.answering === true && usp.weakLink === false
  })
  return before
}

describe('a device that is given a secret for its link', () => {
  it('comes over the new path, and no link without it is opened after that', async () => {
    expect((await device()).usp?.weakLink).toBe(true)
    const secret = await renew()
    expect(secret).toMatch(/^\/usp\/[\w-]{22}$/)
    await until(async () => (await dial('/usp')) === 403)
    expect(await dial(`/usp/${'a'.repeat(22)}`)).toBe(403)
    // A link with the secret does not replace the one whose Agent answers.
    expect(await dial(secret)).toBe(503)
    expect((await device()).usp).toMatchObject({ linked: true, weakLink: false })
  })

  it('can be given another one', async () => {
    const before = path()
    await call('POST', `/devices/${ID}/link-secret`)
    await until(() => path() !== before)
    await until(async () => (await dial(before)) === 403)
    expect((await device()).usp).toMatchObject({ linked: true, weakLink: false })
  })

  it('shows its secret nowhere', async () => {
    const secret = path().slice('/usp/'.length)
    const answers = await Promise.all(
      [
        `/devices/${ID}`,
        `/devices/${ID}/parameters?path=Device.LocalAgent.`,
        `/devices/${ID}/operations`,
        '/events?limit=1000',
        '/audit?limit=1000',
      ].map((at) => call('GET', at)),
    )
    expect(answers.map(({ status }) => status)).not.toContain(404)
    expect(JSON.stringify(answers)).not.toContain(secret)
    expect(JSON.stringify(answers)).toContain('/usp/[secret]')
  })

  it('comes with the plain path again once its secret is deleted', async () => {
    expect((await call('DELETE', `/devices/${ID}/link-secret`)).status).toBe(204)
    cpe.tree.put('Device.LocalAgent.Controller.1.MTP.1.WebSocket.Path', '/usp')
    await until(async () => (await device()).usp?.weakLink === true)
  })

  it('must exist, and have an Agent', async () => {
    expect((await call('POST', '/devices/00256D-Box-NOPE/link-secret')).status).toBe(404)
  })
})
