import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog, systemRandom } from '../../../src/base/index.ts'
import { FileServer, type FileSource } from '../../../src/files/index.ts'
import { readSignedPath, signedPath } from '../../../src/files/signed-path.ts'
import { createSecretBox } from '../../../src/security/index.ts'
import { startAcs } from '../../support/cwmp-acs.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'

const HOUR_MS = 3_600_000
const macOf = (key: string) => {
  const box = createSecretBox(key, systemRandom)
  return (purpose: string, text: string) => box.mac(purpose, text)
}
const FILE = { kind: 'script', id: '01h', name: 'identity.alter' }

describe('the signed path of a file', () => {
  const path = signedPath(FILE, 5000, macOf('key'))

  it('names its file until its time is over', () => {
    expect(readSignedPath(path, 4999, macOf('key'))).toEqual(FILE)
    expect(readSignedPath(path, 5000, macOf('key'))).toBeUndefined()
  })

  it('ends in the name of the file, and may stand behind the path of a proxy', () => {
    expect(path).toMatch(/^\/files\/script\/01h\/[0-9a-z.]+\/identity\.alter$/)
    expect(readSignedPath(`/acs${path}`, 0, macOf('key'))).toEqual(FILE)
  })

  it('is good for the key that signed it alone, which a new process has again', () => {
    expect(readSignedPath(path, 0, macOf('key'))).toEqual(FILE)
    expect(readSignedPath(path, 0, macOf('another'))).toBeUndefined()
  })

  it('names nothing once any character of it is another one', () => {
    for (let at = 0; at < path.length; at++)
      for (const other of ['0', 'a', '/', '.', '%'])
        if (other !== path[at]) {
          const changed = path.slice(0, at) + other + path.slice(at + 1)
          expect(readSignedPath(changed, 0, macOf('key')), changed).toBeUndefined()
        }
    for (const changed of [`${path}/`, `${path}?x`, path.slice(0, -1), `${path}x`])
      expect(readSignedPath(changed, 0, macOf('key')), changed).toBeUndefined()
  })

  it('is not made of parts that would be another path', () => {
    for (const id of ['', '../x', 'a/b', 'x?y', 'x'.repeat(65)])
      expect(() => signedPath({ ...FILE, id }, 5000, macOf('key'))).toThrow(/another form/)
  })
})

describe('the server of files', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  /** A listener before a file server, and the address of a path on it. */
  async function listen(files: FileServer): Promise<string> {
    const server = createServer((request, response) => {
      if (files.isFor(request)) void files.serve(request, response, '192.0.2.1')
      else response.writeHead(418).end()
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  function serverOver(source: FileSource, clock: ManualClock = createManualClock(), key = 'key') {
    return new FileServer({ sources: { script: source }, mac: macOf(key), clock, log: silentLog })
  }

  const source: FileSource = {
    read: async (id) => (id === '01h' ? { body: Buffer.from('/system identity'), type: 'text/plain' } : undefined),
  }

  it('gives a file by GET and its size by HEAD, without leave to keep it', async () => {
    const files = serverOver(source)
    const url = files.urlOf(await listen(files), FILE)
    const answer = await fetch(url)
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.text()).toBe('/system identity')
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '16', ''])
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(405)
  })

  it('gives the same answer for an address that is over, one of others, and a file that is gone', async () => {
    const clock = createManualClock()
    const files = serverOver(source, clock)
    const base = await listen(files)
    const over = files.urlOf(base, FILE)
    clock.advance(HOUR_MS)
    const others = serverOver(source, clock, 'another').urlOf(base, FILE)
    const gone = files.urlOf(base, { ...FILE, id: '02h' })
    const unknown = files.urlOf(base, { ...FILE, kind: 'toString' })
    for (const url of [over, others, gone, unknown]) {
      const answer = await fetch(url)
      expect([answer.status, await answer.text()], url).toEqual([404, ''])
    }
  })

  it('gives a file that another process has signed with the same key', async () => {
    const clock = createManualClock()
    const after = serverOver(source, clock)
    const url = serverOver(source, clock).urlOf(await listen(after), FILE)
    expect((await fetch(url)).status).toBe(200)
  })

  it('leaves other paths to the listener', async () => {
    const base = await listen(serverOver(source))
    for (const path of ['/', '/files', '/files/script/01h/x', '/files/a/b/c.d/e'])
      expect((await fetch(base + path)).status, path).toBe(418)
  })

  it('stands on the listener of the ACS, where all other requests are CWMP', async () => {
    const files = serverOver(source)
    const { acs, stop } = await startAcs({ files })
    try {
      const base = `http://127.0.0.1:${acs.port}`
      expect((await fetch(files.urlOf(base, FILE))).status).toBe(200)
      expect((await fetch(`${base}/?wsdl`)).headers.get('content-type')).toContain('xml')
      expect((await fetch(`${base}/files/x`)).status).toBe(405)
    } finally {
      await stop()
    }
  })

  it('bounds requests for one file, and requests that have no good signature', async () => {
    const clock = createManualClock()
    const files = serverOver(source, clock)
    const base = await listen(files)
    const url = files.urlOf(base, FILE)
    const statuses = async (of: string, count: number) => {
      const all = await Promise.all(Array.from({ length: count }, async () => (await fetch(of)).status))
      return [...new Set(all)].sort()
    }
    expect(await statuses(url, 12)).toEqual([200])
    expect(await statuses(url, 3)).toEqual([429])
    const guess = url.replace('identity', 'other')
    expect(await statuses(guess, 60)).toEqual([404])
    expect(await statuses(guess, 3)).toEqual([429])
    // A guess takes nothing from files that are signed.
    expect((await fetch(files.urlOf(base, { ...FILE, id: '02h' }))).status).toBe(404)
    clock.advance(60_000)
    expect((await fetch(url)).status).toBe(200)
  })

  it('answers 503 for a source that fails and for a file that is too large, and goes on', async () => {
    const failing: FileSource = {
      async read(id) {
        if (id === 'large') return { body: new Uint8Array(1_048_577), type: 'text/plain' }
        if (id === 'small') return { body: new Uint8Array(1), type: 'text/plain' }
        throw new Error('the database is away')
      },
    }
    const files = serverOver(failing)
    const base = await listen(files)
    const status = async (id: string) => (await fetch(files.urlOf(base, { ...FILE, id }))).status
    expect([await status('large'), await status('failing'), await status('small')]).toEqual([503, 503, 200])
  })
})
