import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { CpeWire, cookieOf, digestFor, type Login, vector } from '../support/cwmp-wire.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

describe('credentials of devices', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'), { enrolment: 'closed', discovery: 'none' })
  })
  afterAll(async () => {
    await server?.stop()
  })

  const api = (method: string, path: string, body?: object) =>
    fetch(`http://127.0.0.1:${server.apiPort}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${server.firstKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  /** One session of a device with these credentials: the status of its Inform. */
  async function come(serial: string, login: Login): Promise<number> {
    const cpe = new CpeWire(server.cwmpPort)
    const inform = vector('inform', { SERIAL: serial })
    const challenge = await cpe.post(inform)
    const answer = await cpe.post(inform, digestFor(challenge, login))
    if (answer.status === 200) await cpe.post('', cookieOf(answer))
    cpe.close()
    return answer.status
  }
  const login = { username: 'acme-77', password: 'from the factory list' }

  it('can be stored before a device comes, which is how one gets in where enrolment is closed', async () => {
    expect(await come('77', login)).toBe(401)
    expect((await api('PUT', '/devices/00256D-Box-77/credential', login)).status).toBe(204)
    // A credential that was read a moment ago is not read again at once.
    await until(async () => (await come('77', login)) === 200)
    expect(await come('78', login)).toBe(401)
    const { items } = (await (await api('GET', '/audit?limit=50')).json()) as { items: { action: string }[] }
    expect(items).toContainEqual(expect.objectContaining({ action: 'device.credential.put', result: 'ok' }))
    expect(JSON.stringify(items)).not.toContain(login.password)
  })

  it.each([
    ['PUT', '/devices/nobody/credential', login, 400],
    ['PUT', '/devices/00256D-Box-79/credential', { username: '', password: 'x' }, 400],
    ['POST', '/devices/00256D-Box-79/release-credential', undefined, 404],
  ])('%s %s is refused where it makes no sense', async (method, path, body, status) => {
    expect((await api(method, path, body)).status).toBe(status)
  })

  it('can be released, and are good until they are used', async () => {
    expect((await api('POST', '/devices/00256D-Box-77/release-credential')).status).toBe(204)
    expect(await come('77', login)).toBe(200)
  })
})
