import { Agent, request } from 'node:http'
import { expect, inject, it } from 'vitest'
import { deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface Answer {
  status: number
  connection: string | undefined
  body: string
}

/** One request on a connection that would be kept; `started` is set when the head of the answer is there. */
function ask({ server }: ServerWithStore, method: string, path: string, body?: unknown) {
  const asked = { started: false, answer: Promise.resolve<Answer>({ status: 0, connection: '', body: '' }) }
  asked.answer = new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: '127.0.0.1', port: server.apiPort, path: `/api/v1${path}`, method },
        agent: new Agent({ keepAlive: true }),
        headers: { authorization: `Bearer ${server.firstKey}`, 'content-type': 'application/json' },
      },
      (response) => {
        asked.started = true
        let text = ''
        response.on('data', (data) => {
          text += String(data)
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body: text }),
        )
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
  return asked
}

it('a server that stops answers requests that wait for an operation, and ends event streams', async () => {
  const world = await startServerWithStore(inject('mongodbUri'))
  const identity = { oui: '00256D', productClass: 'Box', serial: 'Away' }
  const id = deviceIdOf(identity)
  await world.store.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1), root: 'Device.' } })
  const get = { verb: 'get', paths: ['Device.DeviceInfo.'] }
  const submitting = ask(world, 'POST', `/devices/${id}/operations?wait=60s`, get)
  const stream = ask(world, 'GET', '/events/stream')
  const operations = async () => (await world.store.operations.list({ limit: 10 })).items
  await until(async () => stream.started && (await operations()).length === 1)
  const [{ id: operation } = { id: '' }] = await operations()
  const reading = ask(world, 'GET', `/operations/${operation}?wait=60s`)
  // A request behind it that is answered shows that the one before is being served.
  await world.call('GET', '/operations')
  await world.stop()
  const submitted = await submitting.answer
  expect(submitted).toMatchObject({ status: 202, connection: 'close' })
  expect(JSON.parse(submitted.body)).toMatchObject({ id: operation, state: 'queued' })
  expect(await reading.answer).toMatchObject({ status: 200, connection: 'close' })
  expect((await stream.answer).status).toBe(200)
})
