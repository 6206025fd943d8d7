import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CpeHttpClient } from '../../../src/cwmp/cpe/http-client.ts'
import { httpTransport } from '../../../src/cwmp/cpe/http-transport.ts'
import { ScriptedAcs } from '../../support/scripted-acs.ts'

const TLS = join(import.meta.dirname, '../../vectors/tls')
const login = { username: 'u', password: 'p' }

describe('a CPE over TLS', () => {
  const cert = readFileSync(join(TLS, 'server.pem'), 'utf8')
  const seen: (string | undefined)[] = []
  const server = createServer({ cert, key: readFileSync(join(TLS, 'server.key')) }, (request, response) => {
    seen.push(request.headers.authorization)
    if (request.headers.authorization !== undefined) return void response.writeHead(204).end()
    response.writeHead(401, { 'www-authenticate': 'Basic realm="acs"' }).end()
  })
  beforeEach(async () => {
    seen.length = 0
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = () => {
    const address = server.address()
    return new URL(`https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`)
  }

  it('sends its password when it is asked, to a server it trusts', async () => {
    const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000, trusted: [cert] }))
    expect((await client.post(url(), login, '')).status).toBe(204)
    expect(seen).toEqual([undefined, `Basic ${Buffer.from('u:p').toString('base64')}`])
    client.end()
  })

  it('does not speak to one it does not trust', async () => {
    const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000 }))
    await expect(client.post(url(), login, '')).rejects.toThrow(/self-signed/)
    expect(seen).toEqual([])
  })
})

describe('a CPE over HTTP', () => {
  let acs: ScriptedAcs
  beforeEach(async () => {
    acs = await ScriptedAcs.start()
  })
  afterEach(() => acs.stop())

  it('never sends its password in clear', async () => {
    acs.over = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="acs"' } })
    const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000 }))
    expect((await client.post(new URL(acs.url), login, '')).status).toBe(401)
    expect(acs.posts.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
    client.end()
  })

  it('prefers Digest where both are offered, and gives opaque back', async () => {
    acs.over = ({ headers }) =>
      headers.authorization === undefined
        ? {
            status: 401,
            headers: {
              'www-authenticate': ['Basic realm="a"', 'Digest realm="a", qop="auth,auth-int", nonce="n", opaque="o"'],
            },
          }
        : undefined
    const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000 }))
    await client.post(new URL(acs.url), login, '')
    expect(acs.posts[1]?.headers.authorization).toMatch(
      /^Digest .*nonce="n".*qop=auth, nc=00000001, cnonce="[0-9a-f]{16}", opaque="o"$/,
    )
    client.end()
  })

  it('gives up at a second 401', async () => {
    acs.over = () => ({ status: 401, headers: { 'www-authenticate': 'Digest realm="a", qop="auth", nonce="n"' } })
    const client = new CpeHttpClient(httpTransport({ timeoutMs: 5000 }))
    expect((await client.post(new URL(acs.url), login, '')).status).toBe(401)
    expect(acs.posts).toHaveLength(2)
    client.end()
  })
})
