import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Api, type ApiDeps, createMetrics } from '../../../src/api/index.ts'
import { type Log, silentLog, systemClock, systemRandom } from '../../../src/base/index.ts'
import { newApiKey } from '../../../src/security/index.ts'
import { until } from '../../support/until.ts'

const MAX = 5
const { key, text } = newApiKey(systemRandom, '01hzzzzzzz0000000000000000', 'a program', 'read', 1)

const lines: string[] = []
const log: Log = { ...silentLog, info: (_, message) => void lines.push(message), child: () => log }

/** The API with what its metrics and health need. */
function api(): Api {
  const needed: Partial<ApiDeps> = {
    host: '127.0.0.1',
    port: 0,
    maxConnections: MAX,
    version: '0',
    metrics: createMetrics(),
    apiKeys: { get: async (id: string) => (id === key.id ? key : undefined) } as ApiDeps['apiKeys'],
    clock: systemClock,
    random: systemRandom,
    log,
  }
  return new Api(needed as ApiDeps)
}

let server: Api
beforeEach(async () => {
  server = api()
  await server.start()
})
afterEach(() => server.stop())

/** Status of a request, and whether its connection had been used before. */
function ask(path: string, agent: Agent, shown = text): Promise<[status: number | undefined, reused: boolean]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${shown}` }
    const asked = get({ host: '127.0.0.1', port: server.port, path, agent, headers }, (response) => {
      response.resume().on('end', () => resolve([response.statusCode, asked.reusedSocket]))
    }).on('error', reject)
  })
}

it('connections that show no key make room for others, and one that has shown its key stays', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  expect(await ask('/metrics', agent)).toEqual([200, false])
  const strangers: Socket[] = []
  for (let i = 0; i < 4 * MAX; i++)
    strangers.push(
      connect(server.port, '127.0.0.1')
        .on('error', () => undefined)
        .resume(),
    )
  await until(() => strangers.filter(({ destroyed }) => destroyed).length === 4 * MAX - (MAX - 1))
  expect(await ask('/metrics', agent)).toEqual([200, true])
  expect(await ask('/healthz', new Agent())).toEqual([200, false])
  for (const socket of strangers) socket.destroy()
  agent.destroy()
})

it('requests that show no key are lines of the log, which many of them do not fill', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (let i = 0; i < 100; i++) expect((await ask('/metrics', agent, 'wrong'))[0]).toBeGreaterThanOrEqual(401)
  expect(lines.filter((line) => line === 'API request')).toHaveLength(60)
  agent.destroy()
})
