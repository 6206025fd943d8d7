import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { checkedClient, type ServerWithStore, startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface Thing {
  id: string
  [name: string]: unknown
}

let server: TestServer
let base: string
beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'))
  base = `http://127.0.0.1:${server.apiPort}`
  client = await checkedClient(server)
})
afterAll(() => server?.stop())

let client: ServerWithStore['call']
const call = <T = Thing>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  client<T>(method, path, body, headers)

const group = async (name: string) => (await call('POST', '/groups', { name, selector: 'model==None' })).body.id

describe('HTTP', () => {
  it('answers methods that are not served with 405 and those that are, and OPTIONS with the list', async () => {
    const refused = await call('PUT', '/plans', {})
    expect(refused.status).toBe(405)
    expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST')
    expect(refused.body).toMatchObject({ type: 'urn:isthmus:problem:methodNotAllowed', status: 405 })
    const options = await call('OPTIONS', '/plans/x')
    expect(options.status).toBe(204)
    expect(options.headers.get('allow')).toBe('DELETE, GET, HEAD, OPTIONS, PATCH')
    expect(options.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('ends a HEAD of the stream at once', async () => {
    const head = await call('HEAD', '/events/stream')
    expect(head.status).toBe(200)
    expect(head.headers.get('content-type')).toContain('text/event-stream')
  })

  it('gives each request an id, that of the client or a new one, and does not name the server program', async () => {
    const own = await call('GET', '/groups', undefined, { 'x-request-id': 'oss-4711' })
    expect(own.headers.get('x-request-id')).toBe('oss-4711')
    const ours = await call('GET', '/groups', undefined, { 'x-request-id': 'a b"c' })
    expect(ours.headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/)
    expect(ours.headers.get('x-powered-by')).toBeNull()
  })

  it('needs a key for everything except health and the page that asks for one, which works offline and over plain HTTP', async () => {
    for (const path of ['/healthz', '/readyz', '/api/v1/docs/', '/api/v1/docs/docs.js'])
      expect((await fetch(base + path)).status, path).toBe(200)
    for (const path of [
      '/metrics',
      '/api/v1/openapi.json',
      '/api/v1/devices',
      '/api/v1/events/stream',
      '/api/v1/audit',
    ])
      expect((await fetch(base + path)).status, path).toBe(401)
    const page = await fetch(`${base}/api/v1/docs/`)
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    expect(page.headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests')
    expect(await page.text()).not.toMatch(/https?:\/\//)
  })
})

interface Operation {
  operationId: string
  summary: string
  security?: unknown[]
  parameters?: { name: string; in: string; required?: boolean }[]
  requestBody?: { required?: boolean }
  responses: Record<string, { description: string }>
}

interface Description {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

describe('the OpenAPI document', () => {
  it('describes every path with its parameters, bodies, answers and problems, once', async () => {
    const document = (await call<Description>('GET', '/openapi.json')).body
    expect(document.openapi).toBe('3.1.0')
    expect(document.components.securitySchemes).toHaveProperty('apiKey')
    const ids = new Set<string>()
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const name = `${method} ${path}`
        expect(ids.has(operation.operationId), name).toBe(false)
        ids.add(operation.operationId)
        expect(operation.summary.length, name).toBeGreaterThan(5)
        const open = path === '/healthz' || path === '/readyz'
        const scheme =
          path === '/api/v1/bridge/registration'
            ? 'bridgeToken'
            : /^\/api\/v1\/bridge(\/|$)/.test(path)
              ? 'bridgeSignature'
              : 'apiKey'
        expect(document.components.securitySchemes).toHaveProperty(scheme)
        expect(operation.security, name).toEqual(open ? [] : [{ [scheme]: [] }])
        const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
        expect(inPath.map((parameter) => `{${parameter.name}}`).sort(), name).toEqual(
          (path.match(/\{\w+\}/g) ?? []).sort(),
        )
        for (const parameter of inPath) expect(parameter.required, name).toBe(true)
        if (path.startsWith('/api/')) expect(operation.responses, name).toHaveProperty('default')
        for (const response of Object.values(operation.responses)) expect(response.description, name).not.toBe('')
      }
    }
    for (const id of ['healthz', 'readyz', 'metrics', 'openapi', 'updatePlan', 'deletePlan', 'streamEvents'])
      expect(ids).toContain(id)
    const actOnPlan = document.paths['/api/v1/plans/{id}/actions/{action}']?.post
    expect(actOnPlan?.requestBody?.required ?? false).toBe(false)
    expect(document.paths['/api/v1/plans']?.post?.requestBody?.required).toBe(true)
    const references = JSON.stringify(document).match(/"#\/components\/schemas\/\w+"/g) ?? []
    for (const reference of references)
      expect(document.components.schemas).toHaveProperty(reference.slice('"#/components/schemas/'.length, -1))
  })
})

describe('plans and groups', () => {
  it('are changed only with the ETag of their present revision', async () => {
    const id = await group('etag')
    const read = await call('GET', `/groups/${id}`)
    const etag = read.headers.get('etag') ?? ''
    expect((await call('PATCH', `/groups/${id}`, { description: 'a' }, { 'if-match': etag })).status).toBe(200)
    const late = await call('PATCH', `/groups/${id}`, { description: 'b' }, { 'if-match': etag })
    expect(late.status).toBe(412)
    expect(late.headers.get('etag')).toBe('"2"')
    expect((await call('PATCH', `/groups/${id}`, { description: 'b' }, { 'if-match': 'garbage' })).status).toBe(412)
    expect((await call('PATCH', `/groups/${id}`, { description: 'b' }, { 'if-match': '*' })).status).toBe(200)

    const plan = (await call('POST', '/plans', { name: 'p', groupId: id })).body
    const first = (await call('GET', `/plans/${plan.id}`)).headers.get('etag') ?? ''
    const changed = await call(
      'PATCH',
      `/plans/${plan.id}`,
      { name: 'q', settings: { maxInFlight: 7, controller: { host: 'usp.example' } } },
      { 'if-match': first },
    )
    expect(changed.body).toMatchObject({ name: 'q', settings: { maxInFlight: 7, controller: { host: 'usp.example' } } })
    expect(changed.body.settings).toMatchObject({ soakMs: 600_000, controller: { path: '/usp' } })
    expect((await call('PATCH', `/plans/${plan.id}`, { name: 'r' }, { 'if-match': first })).status).toBe(412)
    // A plan warns of an address that only this machine reaches.
    expect(plan.warnings).toEqual([expect.stringMatching(/controller.host is 127.0.0.1/)])
    expect(changed.body).not.toHaveProperty('warnings')
    const members = await call('GET', `/plans/${plan.id}/members?reason=9001&waiting=offline&state=FAILED,QUEUED`)
    expect(members.body).toEqual({ items: [] })
  })

  it('are deleted when they have ended, and not before', async () => {
    const id = await group('deleted')
    const plan = (await call('POST', '/plans', { name: 'p', groupId: id })).body
    expect((await call('DELETE', `/plans/${plan.id}`)).status).toBe(204)
    expect((await call('GET', `/plans/${plan.id}`)).status).toBe(404)
    const other = (await call('POST', '/plans', { name: 'p', groupId: id })).body
    await call('POST', `/plans/${other.id}/actions/start`)
    const ended = async () => (await call('GET', `/plans/${other.id}`)).body.state === 'finished'
    await until(ended)
    expect((await call('GET', `/plans/${other.id}`)).body.reason).toMatch(/no device/)
    expect((await call('GET', `/plans?groupId=${id}`)).body.items).toHaveLength(1)
    expect((await call('DELETE', `/plans/${other.id}`)).status).toBe(204)
    expect((await call('DELETE', `/groups/${id}`)).status).toBe(204)
    const { body } = await call<{ items: { action: string; result: string }[] }>('GET', `/audit?target=${other.id}`)
    expect(body.items.map(({ action, result }) => `${action} ${result}`).reverse()).toEqual([
      'plan.create ok',
      'plan.start ok',
      'plan.finish ok',
      'plan.delete ok',
    ])
  })

  it('accept devices for a retry, an abort and a rollback only', async () => {
    const plan = (await call('POST', '/plans', { name: 'p', groupId: await group('devices') })).body
    const refused = await call('POST', `/plans/${plan.id}/actions/start`, {
      devices: ['00256D-Box-1'],
    })
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toMatch(/only retry, abort and rollback take devices/)
  })
})

describe('API keys', () => {
  it('are shown once, refused as soon as they are revoked, and the last that may write stays', async () => {
    const made = (await call('POST', '/api-keys', { name: 'reader', scope: 'read' })).body
    const as = { authorization: `Bearer ${made.key}` }
    expect((await call('GET', '/groups', undefined, as)).status).toBe(200)
    expect((await call('POST', '/groups', { name: 'no' }, as)).status).toBe(403)
    const { body } = await call<{ items: Thing[] }>('GET', '/api-keys')
    expect(JSON.stringify(body)).not.toContain(String(made.key).slice(`isthmus_${made.id}_`.length))
    expect(JSON.stringify(body)).not.toContain('hash')
    expect((await call('DELETE', `/api-keys/${made.id}`)).status).toBe(204)
    expect((await call('GET', '/groups', undefined, as)).status).toBe(401)
    const first = body.items.find(({ scope }) => scope === 'write')?.id ?? ''
    const second = (await call('POST', '/api-keys', { name: 'writer', scope: 'write' })).body
    expect((await call('DELETE', `/api-keys/${second.id}`)).status).toBe(204)
    const page = (await call<{ items: Thing[]; next?: string }>('GET', '/api-keys?limit=2')).body
    const rest = (await call<{ items: Thing[] }>('GET', `/api-keys?limit=2&cursor=${page.next}`)).body
    expect([...page.items, ...rest.items].map(({ id }) => id)).toEqual([first, made.id, second.id])
    const last = await call('DELETE', `/api-keys/${first}`)
    expect(last.status).toBe(409)
    expect(last.body.detail).toMatch(/last key that may write/)
  })
})

describe('devices', () => {
  it('are shown with the fields that are asked for, down to single facts', async () => {
    const { body } = await call<{ items: Thing[] }>('GET', '/devices?fields=owner,cwmp.lastInformAt,presence.usp')
    expect(body.items).toEqual([])
    const refused = await call('GET', '/devices?fields=owner,colour')
    expect(refused.body.detail).toMatch(/there is no "colour"; fields are id, oui/)
  })
})

describe('device ids in paths', () => {
  it('mean the device both as a URL writes them and as they are shown', async () => {
    const id = '0C96BF-NB%2D7-S%201'
    for (const path of [id, encodeURIComponent(id)]) {
      const { status, body } = await call('GET', `/devices/${path}`)
      expect(status).toBe(404)
      expect(body.detail).toBe(`there is no device ${id}; GET /devices lists those that exist`)
    }
    const plan = (await call('POST', '/plans', { name: 'p', groupId: await group('ids') })).body
    for (const path of [id, encodeURIComponent(id)])
      expect((await call('GET', `/plans/${plan.id}/members/${path}`)).status).toBe(404)
  })
})

describe('events', () => {
  it('have a next id also when none of them matches the filter', async () => {
    for (let i = 0; i < 3; i++) {
      const plan = (await call('POST', '/plans', { name: 'p', groupId: await group(`events ${i}`) })).body
      await call('POST', `/plans/${plan.id}/actions/start`)
    }
    type Page = { items: { id: string; type: string }[]; next?: string }
    let after = '0'
    let seen = 0
    for (;;) {
      const { body } = await call<Page>('GET', `/events?after=${after}&limit=2&type=device.booted`)
      expect(body.items).toEqual([])
      if (body.next === undefined || body.next === after) break
      after = body.next
      seen++
    }
    expect(seen).toBeGreaterThan(1)
    const newest = (await call<Page>('GET', '/events?limit=2&type=plan.changed')).body
    expect(newest.items.map(({ type }) => type)).toEqual(['plan.changed', 'plan.changed'])
  })

  it('are streamed from the last one that a reader saw', async () => {
    const all = (await call<{ items: { id: string }[] }>('GET', '/events?after=0&limit=1000')).body.items
    const from = all[1]?.id ?? ''
    const response = await fetch(`${base}/api/v1/events/stream`, {
      headers: { authorization: `Bearer ${server.firstKey}`, 'last-event-id': from },
    })
    const reader = response.body?.getReader()
    let text = ''
    while (!text.includes(all.at(-1)?.id ?? '')) {
      const piece = await reader?.read()
      text += new TextDecoder().decode(piece?.value)
    }
    // New events follow.
    const plan = (await call('POST', '/plans', { name: 'live', groupId: await group('live') })).body
    await call('POST', `/plans/${plan.id}/actions/start`)
    let live = ''
    while (!live.includes(plan.id)) live += new TextDecoder().decode((await reader?.read())?.value)
    await reader?.cancel()
    expect([...text.matchAll(/^id: (\w+)$/gm)].map((match) => match[1])).toEqual(all.slice(2).map(({ id }) => id))
  })

  it('are streamed to a limited number of readers with one key, and to others with other keys', async () => {
    const { key } = (await call<{ key: string }>('POST', '/api-keys', { name: 'reader', scope: 'read' })).body
    // Of the streams that stand: which of many requests at once is refused is chance.
    const ends: AbortController[] = []
    // Kept: fetch ends the stream of a response that nobody holds any more.
    const standing: Response[] = []
    const open = async (bearer: string) => {
      const end = new AbortController()
      const headers = { authorization: `Bearer ${bearer}` }
      const response = await fetch(`${base}/api/v1/events/stream`, { headers, signal: end.signal })
      if (response.status === 200) {
        ends.push(end)
        standing.push(response)
      }
      return response
    }
    try {
      const statuses = await Promise.all(Array.from({ length: 21 }, async () => (await open(key)).status))
      expect(statuses.sort()).toEqual([...Array.from({ length: 20 }, () => 200), 429])
      const refused = await open(key)
      expect(await refused.json()).toMatchObject({
        detail: expect.stringContaining('this API key has 20 event streams'),
      })
      expect((await open(server.firstKey ?? '')).status).toBe(200)
      ends.shift()?.abort()
      await until(async () => (await open(key)).status === 200)
    } finally {
      for (const end of ends) end.abort()
      expect(standing.length).toBeGreaterThanOrEqual(20)
    }
  })
})
