import { readFileSync } from 'node:fs'
import { type Agent, request, Agent as TlsAgent } from 'node:https'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, digestFor, vector, type WireAnswer } from '../../support/cwmp-wire.ts'

const pem = (name: string) => readFileSync(join(import.meta.dirname, '../../vectors/tls', name), 'utf8')
const device = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
const inform = (serial = '1') => vector('inform', { SERIAL: serial, '0 BOOTSTRAP': '2 PERIODIC' })
const basic = (username: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
})

let world: TestAcs
const agents: Agent[] = []
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy()
  await world.stop()
})

async function start(options: Parameters<typeof startAcs>[0] = {}): Promise<void> {
  const tls = { port: 0, cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('cwmp-ca.pem') }
  world = await startAcs({ policy: 'closed', tls, ...options })
  world.credentials.set(device('1'), {
    deviceId: device('1'),
    current: { username: 'own', password: 'secret' },
    connectionRequest: { username: 'own', password: 'secret' },
    updatedAt: 0,
  })
}

/** One TLS connection of a CPE, with a certificate or without. */
function connection(client?: string) {
  const own = client === undefined ? {} : { cert: pem(client), key: pem(client) }
  const agent = new TlsAgent({ keepAlive: true, maxSockets: 1, ca: pem('server.pem'), ...own })
  agents.push(agent)
  return (body: string, headers: Record<string, string> = {}): Promise<WireAnswer> =>
    new Promise((resolve, reject) => {
      const length = String(Buffer.byteLength(body))
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: world.acs.tlsPort,
          method: 'POST',
          path: '/',
          agent,
          headers: { 'content-length': length, ...headers },
        },
        (incoming) => {
          let text = ''
          incoming.setEncoding('utf8')
          incoming.on('data', (chunk: string) => {
            text += chunk
          })
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
}

describe('a CPE over TLS', () => {
  it('may show its password by Basic, which is offered beside Digest', async () => {
    await start()
    const post = connection()
    const challenge = await post(inform())
    expect(challenge.status).toBe(401)
    expect(challenge.headers['www-authenticate']).toMatch(/^Digest .*, Basic realm="Isthmus"$/)
    expect((await post(inform(), basic('own', 'wrong'))).status).toBe(401)
    expect((await post(inform(), basic('own', 'secret'))).text).toContain('InformResponse')
    expect((await connection()(inform(), digestFor(challenge, { username: 'own', password: 'secret' }))).status).toBe(
      200,
    )
  })

  it('needs no password with a certificate of its own', async () => {
    await start()
    const post = connection('cwmp-client.pem')
    const answer = await post(inform())
    expect(answer.text).toContain('InformResponse')
    expect((await post('', { cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' })).status).toBe(204)
  })

  it.each([
    ['of an authority that is not trusted', 'cwmp-foreign.pem', '1'],
    ['of another device', 'cwmp-client.pem', '2'],
  ])('with a certificate %s shows a password like any other', async (_name, client, serial) => {
    await start()
    const post = connection(client)
    expect((await post(inform(serial))).status).toBe(401)
    if (serial === '1') expect((await post(inform(serial), basic('own', 'secret'))).status).toBe(200)
  })

  it('with a certificate that can be read as two devices is refused by it for both, and its password still holds', async () => {
    const tls = { port: 0, cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('cwmp-two-readings-ca.pem') }
    await start({ tls })
    for (const [productClass, serial] of [
      ['HGW', '12-34'],
      ['HGW-12', '34'],
    ] as const) {
      const id = deviceIdOf({ oui: '00256D', productClass, serial })
      const own = { username: 'own', password: 'secret' }
      world.credentials.set(id, { deviceId: id, current: own, connectionRequest: own, updatedAt: 0 })
      const body = inform(serial).replace('<ProductClass>Box<', `<ProductClass>${productClass}<`)
      expect((await connection('cwmp-two-readings.pem')(body)).status).toBe(401)
      const told = world.stores.inside.events.filter(({ deviceId }) => deviceId === id)
      expect(told).toMatchObject([{ type: 'device.refused', data: { reason: 'ambiguousName' } }])
      expect(told[0]?.data.text).toContain(`needs the common name ${id}`)
      expect((await connection('cwmp-two-readings.pem')(body, basic('own', 'secret'))).status).toBe(200)
    }
  })

  it('with a certificate gets a login for connection requests, once', async () => {
    await start()
    world.credentials.clear()
    const turn = async () => {
      const post = connection('cwmp-client.pem')
      const cookie = (await post(inform())).headers['set-cookie']?.[0]?.split(';')[0] ?? ''
      return { post, cookie, answer: await post('', { cookie }) }
    }
    const { post, cookie, answer } = await turn()
    expect(answer.text).toContain('ConnectionRequestPassword')
    const taken = vector('set-values-response')
    expect((await post(taken, { cookie })).status).toBe(204)
    expect((await turn()).answer.status).toBe(204)
  })
})

describe('a CPE without TLS', () => {
  it.each([
    [false, 401],
    [true, 200],
  ])('shows its password by Basic only where that is allowed (%s)', async (allowBasicOverHttp, status) => {
    await start({ allowBasicOverHttp })
    const cpe = new CpeWire(world.acs.port)
    const challenge = await cpe.post(inform())
    expect(String(challenge.headers['www-authenticate']).includes('Basic')).toBe(allowBasicOverHttp)
    expect((await cpe.post(inform(), basic('own', 'secret'))).status).toBe(status)
    cpe.close()
  })
})
