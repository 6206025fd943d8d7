import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { post, rawHttp } from '../support/raw-http.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

describe('hostile API requests', () => {
  let server: TestServer
  let authorization: string
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'))
    authorization = `Bearer ${server.firstKey}`
  })
  afterAll(async () => {
    await server?.stop()
  })

  const call = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${server.apiPort}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    })

  async function problem(response: Response): Promise<{ status: number; detail: string }> {
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const body = (await response.json()) as { status: number; detail: string }
    expect(body).toMatchObject({ status: response.status, title: expect.any(String), detail: expect.any(String) })
    expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:|\.js:/)
    return body
  }

  it.each([
    ['no key', 'GET', '/api/v1/devices', undefined, { authorization: '' }, 401],
    ['a key of another form', 'GET', '/api/v1/devices', undefined, { authorization: 'Bearer hello' }, 401],
    [
      'a well-formed key nobody has',
      'GET',
      '/api/v1/devices',
      undefined,
      { authorization: `Bearer isthmus_${'0'.repeat(26)}_${'a'.repeat(32)}` },
      401,
    ],
    ['a path that is not served', 'GET', '/api/v1/nothing', undefined, {}, 404],
    ['a device id that is none', 'GET', '/api/v1/devices/..%2f..%2fetc', undefined, {}, 400],
    ['broken percent-encoding', 'GET', '/api/v1/devices/%E0%A4%A', undefined, {}, 400],
    ['a filter on an unknown field', 'GET', '/api/v1/devices?filter=password==x', undefined, {}, 400],
    ['a filter that is no RSQL', 'GET', '/api/v1/devices?filter=((((', undefined, {}, 400],
    [
      'an operator object for a parameter',
      'GET',
      '/api/v1/devices?cursor[$ne]=1&limit[$gt]=1&sort=$where',
      undefined,
      {},
      400,
    ],
    ['a limit without measure', 'GET', '/api/v1/devices?limit=1000000', undefined, {}, 400],
    ['broken JSON', 'POST', '/api/v1/groups', '{"name":', {}, 400],
    ['a JSON scalar', 'POST', '/api/v1/groups', '"x"', {}, 400],
    ['JSON of 100,000 levels', 'POST', '/api/v1/groups', '['.repeat(100_000), {}, 400],
    [
      'polluted prototypes',
      'POST',
      '/api/v1/groups',
      '{"name":"x","__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}',
      {},
      400,
    ],
    ['unknown members', 'POST', '/api/v1/groups', '{"name":"x","role":"admin"}', {}, 400],
    ['a verb that is none', 'POST', '/api/v1/devices/00256D-Box-1/operations', '{"verb":"format"}', {}, 400],
    [
      'an operation on a device nobody knows',
      'POST',
      '/api/v1/devices/00256D-Box-1/operations',
      '{"verb":"reboot"}',
      {},
      404,
    ],
    ['a body over the limit', 'POST', '/api/v1/groups', JSON.stringify({ name: 'x'.repeat(300_000) }), {}, 413],
    ['a body that is no JSON type', 'POST', '/api/v1/groups', '<xml/>', { 'content-type': 'text/xml' }, 415],
    ['a method that is not served', 'PUT', '/api/v1/groups', '{}', {}, 405],
    ['a Last-Event-ID that is none', 'GET', '/api/v1/events/stream', undefined, { 'last-event-id': 'zzz' }, 400],
    ['a field that is none', 'GET', '/api/v1/devices?fields=password', undefined, {}, 400],
    ['a wildcard in the middle', 'GET', '/api/v1/devices?filter=model==N*7', undefined, {}, 400],
    ['a plan of a group nobody knows', 'POST', '/api/v1/plans', '{"name":"x","groupId":"none"}', {}, 404],
    ['an action that is none', 'POST', '/api/v1/plans/x/actions/explode', '{}', {}, 400],
  ] as const)('%s is a problem, not a failure', async (_name, method, path, body, headers, status) => {
    const response = await call(method, path, body, headers)
    expect((await problem(response)).status).toBe(status)
  })

  it('serves on after raw rubbish and half requests', async () => {
    for (const bytes of [
      ['\u0000\u0001\u0002'],
      ['GET / HTTP/9.9\r\n\r\n'],
      ['POST /api/v1/groups HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"na'],
      post('/api/v1/groups', Buffer.from([0xff, 0xfe])),
    ]) {
      await rawHttp(server.apiPort, bytes, { timeoutMs: 500 })
    }
    expect((await call('GET', '/healthz')).status).toBe(200)
    expect((await call('GET', '/api/v1/devices')).status).toBe(200)
  })

  it('never fails on random input', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('groups', 'plans', 'api-keys', 'devices/00256D-Box-1/operations'),
        fc.json({ maxDepth: 4 }),
        async (path, json) => {
          const response = await call('POST', `/api/v1/${path}`, json)
          expect(response.status).toBeLessThan(500)
          await response.text()
        },
      ),
      { numRuns: 150 },
    )
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 60 }), async (text) => {
        const response = await call(
          'GET',
          `/api/v1/devices?filter=${encodeURIComponent(text)}&cursor=${encodeURIComponent(text)}`,
        )
        expect(response.status).toBeLessThan(500)
        await response.text()
      }),
      { numRuns: 100 },
    )
  })
})
