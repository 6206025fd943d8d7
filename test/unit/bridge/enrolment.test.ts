import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { RouterRow } from '../../../src/bridge/agents/router-rows.ts'
import { BridgeIdentity, Enrolment, ServerClient } from '../../../src/bridge/index.ts'
import { newTlsKey, selfSigned } from '../../../src/pki/index.ts'
import { createManualClock, settled } from '../../support/manual-clock.ts'
import { until } from '../../support/until.ts'

const FAR = '2036-01-01T00:00:00.000Z'
let folder: string
let http: Server
let answers: Record<string, (query: string) => unknown>
let asked: string[]
const clock = createManualClock(Date.parse('2026-01-01T00:00:00.000Z'))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-enrolment-'))
  asked = []
  http = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').replace('/api/v1', '').split('?')
    asked.push(path)
    request.resume()
    const value = answers[path]?.(query)
    response.writeHead(value === undefined ? 404 : 200, { date: new Date(clock.now()).toUTCString() })
    response.end(typeof value === 'string' ? value : JSON.stringify(value ?? {}))
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
})
afterEach(() => {
  http.closeAllConnections()
  http.close()
  rmSync(folder, { recursive: true, force: true })
})

const BRIDGE = {
  id: 'b1',
  name: 'pop',
  routersVersion: 1,
  controller: { endpointId: 'proto::c', host: '127.0.0.1', port: 8183, path: '/usp', tls: true },
}
const held = (certificate: string, renewAt = FAR) => ({ certificate, notAfter: FAR, renewAt })

function certificateOf(key: string): string {
  const [notBefore, notAfter] = [clock.now(), Date.parse(FAR)]
  return selfSigned({ key, commonName: 'x', names: ['bridge.test'], notBefore, notAfter, serial: Uint8Array.of(1) })
}

async function open() {
  const identity = await BridgeIdentity.open(folder)
  const server = new ServerClient({
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    ca: undefined,
    clock,
  })
  const parts = { folder, identity, server, token: 't', version: '1', clock, log: silentLog }
  const enrolment = new Enrolment({ ...parts, random: { fraction: () => 0.5 } })
  const shown: (readonly RouterRow[])[] = []
  return { identity, enrolment, shown, start: () => enrolment.start((rows) => shown.push(rows)) }
}

it('a registration that answers with no certificate of this key leaves the bridge as it was', async () => {
  const { identity, enrolment, start } = await open()
  const wrong = [
    held('garbage'),
    held(''),
    held(certificateOf(newTlsKey())),
    { ...held(certificateOf(identity.key)), notAfter: 'never' },
    undefined,
  ]
  for (const certificate of wrong) {
    answers = { '/bridge/registration': () => ({ ...BRIDGE, certificate }) }
    await expect(start()).rejects.toMatchObject({ code: 'invalid' })
  }
  const good = held(certificateOf(identity.key))
  for (const controller of [{ certificate: 'garbage' }, { port: 0 }, { port: 1e9 }, { host: 7 }]) {
    const bridge = { ...BRIDGE, controller: { ...BRIDGE.controller, ...controller } }
    answers = { '/bridge/registration': () => ({ ...bridge, certificate: good }) }
    await expect(start()).rejects.toMatchObject({ code: 'invalid' })
  }
  expect((await BridgeIdentity.open(folder)).registered).toBeUndefined()
  answers = {
    '/bridge/registration': () => ({ ...BRIDGE, certificate: good }),
    '/bridge': () => BRIDGE,
    '/bridge/routers': () => ({ items: [], more: false }),
  }
  await start()
  expect(identity.registered?.bridge.id).toBe('b1')
  await enrolment.stop()
})

it('a certificate that is due at once is not renewed at each question, and routers are read all the same', async () => {
  const { identity, enrolment, shown, start } = await open()
  const certificate = held(certificateOf(identity.key), '2020-01-01T00:00:00.000Z')
  let version = 1
  answers = {
    '/bridge/registration': () => ({ ...BRIDGE, certificate }),
    '/bridge': () => ({ ...BRIDGE, routersVersion: version }),
    '/bridge/routers': () => ({ items: [], more: false }),
    '/bridge/certificate': () => ({ certificate: held('garbage') }),
  }
  await start()
  for (let i = 0; i < 4; i++) {
    version++
    const polls = asked.filter((path) => path === '/bridge').length
    clock.advance(120_000)
    await until(() => asked.filter((path) => path === '/bridge').length > polls && shown.length > i + 1)
    await settled(20)
  }
  expect(asked.filter((path) => path === '/bridge/certificate')).toHaveLength(1)
  expect(identity.registered?.own.certificate).toBe(certificate.certificate)
  await enrolment.stop()
})

it('a list of routers without an end is given up', async () => {
  const { identity, enrolment, shown, start } = await open()
  let pages = 0
  const item = {
    revision: 1,
    address: '192.0.2.1',
    transport: 'auto',
    policy: 'L1',
    tags: [],
    mqtt: false,
    login: { sealed: '', sealingKey: '' },
  }
  answers = {
    '/bridge/registration': () => ({ ...BRIDGE, certificate: held(certificateOf(identity.key)) }),
    '/bridge': () => BRIDGE,
    '/bridge/routers': () => ({
      items: Array.from({ length: 1000 }, (_, i) => ({ ...item, id: `r${pages}-${i}` })),
      more: ++pages > 0,
    }),
  }
  await start()
  expect(pages).toBeLessThan(30)
  expect(shown).toEqual([])
  await enrolment.stop()
})

it('another Controller is shown with the routers, also when they could not be read at first', async () => {
  const { identity, enrolment, shown, start } = await open()
  let [host, pages] = ['192.0.2.1', true]
  answers = {
    '/bridge/registration': () => ({ ...BRIDGE, certificate: held(certificateOf(identity.key)) }),
    '/bridge': () => ({ ...BRIDGE, controller: { ...BRIDGE.controller, host } }),
    '/bridge/routers': () => (pages ? { items: [], more: false } : undefined),
  }
  const polled = async () => {
    const polls = asked.filter((path) => path === '/bridge').length
    // The next question may not be planned yet.
    await until(() => {
      clock.advance(120_000)
      return asked.filter((path) => path === '/bridge').length > polls
    })
  }
  await start()
  ;[host, pages] = ['192.0.2.2', false]
  await polled()
  await until(() => asked.filter((path) => path === '/bridge/routers').length > 1)
  expect(shown).toHaveLength(1)
  pages = true
  await polled()
  await until(() => shown.length === 2)
  expect(enrolment.controllers).toMatchObject([{ host: '192.0.2.2' }])
  await enrolment.stop()
})
