import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RPCS } from '../../../src/cwmp/wire/index.ts'
import {
  type Contact,
  deviceIdOf,
  isFactoryReset,
  type Operation,
  type OperationRequest,
} from '../../../src/domain/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, cookieOf, digestFor, type Login, vector, type WireAnswer } from '../../support/cwmp-wire.ts'
import { post, rawHttp } from '../../support/raw-http.ts'

/** Devices as they are in the field, by bytes made by hand: nothing of our own CPE takes part. */
const XML = { 'content-type': 'text/xml; charset="utf-8"', soapaction: '' }
const peer = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
const inform = (serial = '1') => vector('inform', { SERIAL: serial })
const envelope = (body: string, id = '<c:ID>q-1</c:ID>') =>
  `<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-2"><E:Header>${id}</E:Header><E:Body>${body}</E:Body></E:Envelope>`

let world: TestAcs
const wires: CpeWire[] = []
const wire = () => {
  const made = new CpeWire(world.acs.port)
  wires.push(made)
  return made
}
const start = async (options: Parameters<typeof startAcs>[0] = {}) => {
  world = await startAcs(options)
}
afterEach(async () => {
  for (const made of wires.splice(0)) made.close()
  await world.stop()
})

async function enter(serial = '1', body = inform(serial)) {
  const cpe = wire()
  const answer = await cpe.post(body)
  expect(answer.text).toContain('InformResponse')
  return { cpe, cookie: cookieOf(answer), answer }
}

const ok = envelope('<c:SetParameterValuesResponse><Status>0</Status></c:SetParameterValuesResponse>')
const no = envelope('<E:Fault><detail><c:Fault><FaultCode>9003</FaultCode></c:Fault></detail></E:Fault>')

/** A first session: the device does not let itself be enrolled, and is not asked again. */
async function meet(): Promise<void> {
  const { cpe, cookie } = await enter()
  let next = await cpe.post('', cookie)
  while (next.status === 200) next = await cpe.post(no, cookie)
  world.completions.splice(0)
}

/**
 * The ACS runs these requests, one after the other, in the next session of the device; what becomes of them comes back.
 */
function work(serial: string, ...requests: OperationRequest[]) {
  const device = world.stores.inside.devices.get(peer(serial))
  if (device !== undefined) device.work = { open: true, seq: 1 }
  const ended: Promise<unknown>[] = []
  world.onContact(async (contact: Contact) => {
    for (const [i, request] of requests.entries()) {
      const operation = { id: `op${i}`, request } as Partial<Operation> as Operation
      // The engine of operations does so before a reset leaves.
      const beforeSend = async () => (isFactoryReset(request) ? world.acs.release(peer(serial)) : undefined)
      const hooks = { beforeSend, signal: contact.signal, timeoutMs: 1000 }
      const run = contact.execute(operation, hooks).catch((error: unknown) => error)
      ended.push(run)
      await run
    }
  })
  return ended
}
const get: OperationRequest = { verb: 'get', paths: ['Device.DeviceInfo.UpTime'] }

/** A device that is known, and comes again for the work that waits. */
async function comeForWork(...requests: OperationRequest[]) {
  await meet()
  const ended = work('1', ...requests)
  const { cpe, cookie } = await enter()
  return { cpe, cookie, ended, request: await cpe.post('', cookie) }
}

describe('HTTP as old devices speak it', () => {
  beforeEach(async () => {
    await start()
    await meet()
  })

  it.each<[string, string, Record<string, string>]>([
    ['HTTP/1.0 without keep-alive', 'HTTP/1.0', {}],
    ['a new connection for every request', 'HTTP/1.1', { connection: 'close' }],
  ])('%s: the cookie holds the session together', async (_name, version, more) => {
    const send = (body: string, headers: Record<string, string> = {}) =>
      rawHttp(
        world.acs.port,
        post('/', body, { ...XML, ...more, ...headers }).map((bytes) =>
          Buffer.from(Buffer.from(bytes).toString('latin1').replace('HTTP/1.1', version), 'latin1'),
        ),
      )
    const first = await send(inform())
    const cookie = /set-cookie: (isthmus=[^;]+)/i.exec(first.text)?.[1] ?? ''
    expect(first.status).toBe(200)
    const methods = await send(vector('get-rpc-methods'), { cookie })
    expect(methods.text).toContain('GetRPCMethodsResponse')
    expect((await send('', { cookie })).status).toBe(204)
    expect(world.acs.sessionCount).toBe(0)
  })

  it.each([
    ['with $Version and quotes', (value: string) => `$Version="1"; isthmus="${value}"; $Path="/"`],
    ['separated by a comma', (value: string) => `other=1,isthmus=${value}`],
    ['beside one of an older session', (value: string) => `isthmus=${'A'.repeat(24)}; isthmus=${value}`],
  ])('a cookie %s is found', async (_name, form) => {
    const { cookie } = await enter()
    const answer = await wire().post('', { cookie: form(cookie.cookie.split('=')[1] ?? '') })
    expect(answer.status).toBe(204)
  })

  it.each<[string, (body: Buffer) => Buffer, string]>([
    ['gzip', gzipSync, 'gzip'],
    ['gzip by its old name', gzipSync, 'X-GZIP'],
    ['deflate', deflateSync, 'deflate'],
    ['deflate without its wrapper', deflateRawSync, 'deflate'],
  ])('takes a body in %s', async (_name, pack, encoding) => {
    const bytes = pack(Buffer.from(inform()))
    const answer = await rawHttp(world.acs.port, post('/any/path?x=1', bytes, { ...XML, 'content-encoding': encoding }))
    expect(answer.text).toContain('InformResponse')
  })

  it.each(['\r\n', ' ', '\n\n'])('takes %j for the empty POST that it is meant to be', async (body) => {
    const { cpe, cookie } = await enter()
    expect((await cpe.post(body, cookie)).status).toBe(204)
  })

  it('says 415 to an encoding it has not, and which it has', async () => {
    const answer = await rawHttp(world.acs.port, post('/', inform(), { ...XML, 'content-encoding': 'compress' }))
    expect(answer.status).toBe(415)
    expect(answer.text.toLowerCase()).toContain('\r\naccept-encoding: gzip, deflate\r\n')
  })

  it('takes chunks, and tells a device that asks first to go on', async () => {
    const bytes = Buffer.from(inform())
    const chunks = [bytes.subarray(0, 100), bytes.subarray(100)].map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    )
    const head = 'POST /acs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/html\r\n'
    const chunked = await rawHttp(world.acs.port, [`${head}transfer-encoding: chunked\r\n\r\n`, ...chunks, '0\r\n\r\n'])
    expect(chunked.text).toContain('InformResponse')
    const expects = `${head}expect: 100-continue\r\ncontent-length: ${bytes.length}\r\n\r\n`
    const asked = await rawHttp(world.acs.port, [expects, bytes], { goOnAt: '100 Continue' })
    expect(asked.text).toMatch(/^HTTP\/1\.1 100 Continue[\s\S]+HTTP\/1\.1 200 OK[\s\S]+InformResponse/)
  })

  it('takes much within a session, an Inform and no more before it', async () => {
    const large = `<!--${'x'.repeat(600_000)}-->`.repeat(2)
    const before = await rawHttp(world.acs.port, post('/', inform() + large, XML))
    expect(before.status).toBe(413)
    const { cpe, cookie } = await enter()
    expect((await cpe.post(vector('get-rpc-methods') + large, cookie)).text).toContain('GetRPCMethodsResponse')
  })
})

describe('a CPE that takes its time', () => {
  it.each([
    ['with its head', 'POST / HTTP/1.1\r\nhost: x\r\nx-slow: '],
    ['with its body', `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(inform())}\r\n\r\n`],
  ])('%s is sent away, and others are served meanwhile', async (_name, head) => {
    await start({ httpTimes: { headersTimeout: 400, requestTimeout: 500, connectionsCheckingInterval: 50 } })
    await meet()
    // One byte at a time, for longer than it may take.
    const slow = rawHttp(world.acs.port, [head, ...inform().slice(0, 60)], { pauseMs: 30 })
    const { cpe, cookie } = await enter()
    expect((await cpe.post('', cookie)).status).toBe(204)
    expect((await slow).status).toBe(408)
    expect(world.acs.sessionCount).toBe(0)
  })
})

describe('the description of the service', () => {
  beforeEach(() => start())

  it.each([
    ['/?wsdl', '<wsdl:definitions'],
    ['/acs/?WSDL', '<wsdl:definitions'],
    ['/cwmp-1-4.wsdl', '<wsdl:definitions'],
    ['/cwmp-1-4.xsd', '<xsd:schema'],
  ])('is at %s', async (path, root) => {
    const answer = await fetch(`http://127.0.0.1:${world.acs.port}${path}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/xml; charset="utf-8"'])
    expect(await answer.text()).toContain(root)
  })

  it.each(['/', '/etc/passwd', '/../package.json'])('is all that a GET finds (%s)', async (path) => {
    const answer = await rawHttp(world.acs.port, [`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`])
    expect(answer.status).toBe(405)
    expect(answer.text).toMatch(/\r\nallow: POST\r\n/i)
  })
})

describe('requests of the CPE', () => {
  beforeEach(async () => {
    await start()
    await meet()
  })

  it('are those that GetRPCMethods tells, and each is answered under its ID', async () => {
    const { cpe, cookie } = await enter()
    const told = await cpe.post(vector('get-rpc-methods'), cookie)
    const names = [...told.text.matchAll(/<string>(\w+)<\/string>/g)].map(([, name]) => name ?? '')
    const called = Object.entries(RPCS).filter(([, { from }]) => from !== 'acs')
    expect(names.toSorted()).toEqual(called.map(([name]) => name).toSorted())
    for (const name of names.filter((one) => one !== 'Inform')) {
      const answer = await cpe.post(envelope(`<c:${name}/>`), cookie)
      expect(answer.text).toContain(`<cwmp:${name}Response>`)
      expect(answer.text).toContain('>q-1</cwmp:ID>')
    }
    expect((await cpe.post(envelope('<c:Reboot/>'), cookie)).text).toContain('<FaultCode>8000</FaultCode>')
    expect((await cpe.post(envelope('<c:X_ACME_Sing/>', ''), cookie)).text).not.toContain('<cwmp:ID')
    expect((await cpe.post('', cookie)).status).toBe(204)
  })

  it('whose arguments make no sense are answered with 8003, and the session goes on', async () => {
    const { cpe, cookie } = await enter()
    const answer = await cpe.post(
      envelope('<c:TransferComplete><FaultStruct><FaultCode>none</FaultCode></FaultStruct></c:TransferComplete>'),
      cookie,
    )
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('<FaultCode>8003</FaultCode>')
    expect(answer.text).toContain('>q-1</cwmp:ID>')
    expect(world.completions.filter(({ kind }) => kind === 'transfer')).toEqual([])
    expect((await cpe.post('', cookie)).status).toBe(204)
  })

  it('that report deployment units are in the feed before they are acknowledged', async () => {
    const { cpe, cookie } = await enter()
    const answer = await cpe.post(vector('du-state-change-complete', { KEY: 'k1' }), cookie)
    expect(answer.text).toContain('<cwmp:DUStateChangeCompleteResponse>')
    const event = world.stores.inside.events.find(({ type }) => type === 'device.notified')
    expect(event?.data).toMatchObject({
      event: 'DUStateChangeComplete',
      params: { CommandKey: 'k1', 'Results.1.CurrentState': 'Installed', 'Results.2.Fault.FaultCode': '9015' },
    })
  })

  it('of changed deployment units are read from a SOAP array as well', async () => {
    const { cpe, cookie } = await enter()
    const item = '<OpResultStruct><UUID>u-1</UUID><CurrentState>Installed</CurrentState></OpResultStruct>'
    const body = `<c:DUStateChangeComplete><Results>${item}</Results><CommandKey>k</CommandKey></c:DUStateChangeComplete>`
    expect((await cpe.post(envelope(body), cookie)).status).toBe(200)
    expect(world.stores.inside.events.find(({ type }) => type === 'device.notified')?.data).toMatchObject({
      params: { 'Results.1.UUID': 'u-1', 'Results.1.CurrentState': 'Installed' },
    })
  })

  it('that complete a transfer of nobody here are heard of in the feed', async () => {
    const { cpe, cookie } = await enter()
    const fault = '<FaultStruct><FaultCode>9010</FaultCode><FaultString>no file</FaultString></FaultStruct>'
    const times = '<StartTime>0001-01-01T00:00:00Z</StartTime><CompleteTime>0001-01-01T00:00:00Z</CompleteTime>'
    const body = `<c:TransferComplete><CommandKey>by hand</CommandKey>${fault}${times}</c:TransferComplete>`
    expect((await cpe.post(envelope(body), cookie)).status).toBe(200)
    expect(world.stores.inside.events.filter(({ type }) => type === 'device.notified')).toMatchObject([
      { data: { event: 'TransferComplete', params: { CommandKey: 'by hand', 'FaultStruct.FaultCode': '9010' } } },
    ])
  })

  it('that repeat a TransferComplete are taken each time, with the key trimmed', async () => {
    const { cpe, cookie } = await enter()
    for (let i = 0; i < 2; i++)
      expect((await cpe.post(vector('transfer-complete', { KEY: '\n op1 ' }), cookie)).text).toContain('Response')
    expect(world.completions.filter(({ kind }) => kind === 'transfer')).toMatchObject([
      { commandKey: 'op1' },
      { commandKey: 'op1' },
    ])
  })

  it('are bounded: one too many ends the session', async () => {
    const { cpe, cookie } = await enter()
    let last: WireAnswer | undefined
    for (let i = 0; i <= 256; i++) last = await cpe.post(vector('get-rpc-methods'), cookie)
    expect(last?.status).toBe(400)
    expect(world.acs.sessionCount).toBe(0)
  })

  it('in place of an answer are served, and the answer is still taken', async () => {
    const { cpe, cookie, ended, request } = await comeForWork(get)
    expect(request.text).toContain('<cwmp:GetParameterValues>')
    const served = await cpe.post(vector('transfer-complete', { KEY: 'op9' }), cookie)
    expect(served.text).toContain('<cwmp:TransferCompleteResponse>')
    expect((await cpe.post(vector('get-values-response'), cookie)).status).toBe(204)
    expect(await ended[0]).toMatchObject({ outcome: 'done', results: [{ value: '42' }] })
  })
})

describe('answers that make no sense', () => {
  beforeEach(() => start())

  it.each([
    ['of the wrong type', '<c:AddObjectResponse><InstanceNumber>first</InstanceNumber></c:AddObjectResponse>'],
    ['without the number of the row', '<c:AddObjectResponse><Status>0</Status></c:AddObjectResponse>'],
    ['of another method', '<c:RebootResponse/>'],
  ])('(%s) fail their operation, as one that was sent, and the session goes on', async (_name, body) => {
    const { cpe, cookie, ended, request } = await comeForWork(
      { verb: 'add', object: 'Device.NAT.PortMapping.', values: {} },
      get,
    )
    expect(request.text).toContain('<cwmp:GetParameterNames>')
    const add = await cpe.post(envelope('<c:GetParameterNamesResponse/>'), cookie)
    expect(add.text).toContain('<cwmp:AddObject>')
    const next = await cpe.post(envelope(body), cookie)
    expect(await ended[0]).toMatchObject({ name: 'ProtocolError', code: 'wrongAnswer' })
    expect(next.text).toContain('<cwmp:GetParameterValues>')
    expect((await cpe.post(vector('get-values-response'), cookie)).status).toBe(204)
    expect(await ended[1]).toMatchObject({ outcome: 'done' })
  })

  it.each([
    ['OUI', '<OUI>00256D</OUI>', '<OUI>none</OUI>'],
    ['serial number', '<SerialNumber>1</SerialNumber>', '<SerialNumber/>'],
  ])('an Inform with a wrong %s gets 8003 and no session', async (_name, right, wrong) => {
    const answer = await wire().post(inform().replace(right, wrong))
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('<FaultCode>8003</FaultCode>')
    expect(answer.text).toContain('>inform-1</cwmp:ID>')
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(world.acs.sessionCount).toBe(0)
  })

  it('a fault over the ID that must be understood: the request is sent again with a plain one, and so are those after it', async () => {
    const { cpe, cookie, ended, request } = await comeForWork(get, get)
    expect(request.text).toContain('<cwmp:ID soap-env:mustUnderstand="1">')
    const fault = '<E:Fault><faultcode>E:MustUnderstand</faultcode><faultstring>ID</faultstring></E:Fault>'
    const again = await cpe.post(envelope(fault, ''), cookie)
    expect(again.text).toMatch(/<cwmp:ID>\d+<\/cwmp:ID>[\s\S]*<cwmp:GetParameterValues>/)
    const next = await cpe.post(vector('get-values-response'), cookie)
    expect(await ended[0]).toMatchObject({ outcome: 'done' })
    expect(next.text).toMatch(/<cwmp:ID>\d+<\/cwmp:ID>/)
    // A device that says it each time is believed the second time.
    await cpe.post(envelope(fault, ''), cookie)
    expect(await ended[1]).toMatchObject({ outcome: 'failed', error: { code: '9002' } })
  })

  it('a fault to SetParameterValues only about booleans is tried once more with words, and that is remembered', async () => {
    const set: OperationRequest = {
      verb: 'set',
      values: [{ path: 'Device.WiFi.SSID.1.Enable', value: 'true' }],
    }
    const { cpe, cookie, ended, request } = await comeForWork(set, set)
    expect(request.text).toContain('<Value xsi:type="xsd:boolean">1</Value>')
    expect(request.text).toContain('<ParameterKey>op0</ParameterKey>')
    const fault = `<E:Fault><detail><c:Fault><FaultCode>9003</FaultCode><SetParameterValuesFault><ParameterName>Device.WiFi.SSID.1.Enable</ParameterName><FaultCode>9007</FaultCode></SetParameterValuesFault></c:Fault></detail></E:Fault>`
    const again = await cpe.post(envelope(fault, ''), cookie)
    expect(again.text).toContain('<Value xsi:type="xsd:boolean">true</Value>')
    const second = await cpe.post(
      envelope('<c:SetParameterValuesResponse><Status>1</Status></c:SetParameterValuesResponse>'),
      cookie,
    )
    expect(await ended[0]).toMatchObject({ outcome: 'done', output: { applied: 'later' } })
    expect(second.text).toContain('<Value xsi:type="xsd:boolean">true</Value>')
    expect((await cpe.post(envelope('<c:SetParameterValuesResponse/>'), cookie)).status).toBe(204)
    expect(await ended[1]).toMatchObject({ outcome: 'done' })
  })
})

describe('a device that cuts the connection over what is too much for it', () => {
  const leaves = Array.from({ length: 40 }, (_, i) => `Device.X_T.P${i}`)
  const listed = (names: string[]) =>
    envelope(
      `<c:GetParameterNamesResponse><ParameterList>${names.map((name) => `<ParameterInfoStruct><Name>${name}</Name><Writable>0</Writable></ParameterInfoStruct>`).join('')}</ParameterList></c:GetParameterNamesResponse>`,
    )
  const values = (names: string[]) =>
    envelope(
      `<c:GetParameterValuesResponse><ParameterList>${names.map((name) => `<ParameterValueStruct><Name>${name}</Name><Value>v</Value></ParameterValueStruct>`).join('')}</ParameterList></c:GetParameterValuesResponse>`,
    )

  /** One session of it; true when it ended in peace. */
  async function session(limit: number, sizes: number[], retryCount: number): Promise<boolean> {
    world.clock.advance(1000)
    // A failed session is told again with its events, 0 BOOTSTRAP and all.
    const told = inform().replace('<RetryCount>0<', `<RetryCount>${retryCount}<`)
    const { cpe, cookie } = await enter('1', retryCount < 0 ? inform().replace('0 BOOTSTRAP', '2 PERIODIC') : told)
    let next = await cpe.post('', cookie)
    while (next.status === 200) {
      const asked = [...next.text.matchAll(/<string>([^<]+)<\/string>/g)].map(([, name]) => name ?? '')
      if (next.text.includes('<cwmp:GetParameterValues>')) {
        sizes.push(asked.length)
        if (asked.length > limit) {
          cpe.close()
          return false
        }
        next = await cpe.post(values(asked), cookie)
      } else if (next.text.includes('<ParameterPath>Device.<')) next = await cpe.post(listed(['Device.X_T.']), cookie)
      else if (next.text.includes('<ParameterPath>')) next = await cpe.post(listed(leaves), cookie)
      else next = await cpe.post(no, cookie)
    }
    expect(next.status).toBe(204)
    return true
  }

  it.each([1, 10])('(more than %i names) is read in a few sessions, and then left in peace', async (limit) => {
    await start({ discovery: 'walk' })
    const sizes: number[] = []
    let sessions = 1
    while (!(await session(limit, sizes, sessions - 1))) expect(++sessions).toBeLessThan(8)
    expect(sizes.filter((size) => size > limit)).toHaveLength(sessions - 1)
    // Nothing was listed or read twice.
    expect(sizes.filter((size) => size <= limit).reduce((sum, size) => sum + size, 0)).toBe(leaves.length)
    const stored = [...world.stores.inside.parameters.values()].map(({ path }) => path)
    expect(stored).toEqual(expect.arrayContaining(leaves))
    sizes.splice(0)
    expect(await session(limit, sizes, -1)).toBe(true)
    expect(sizes).toEqual([])
  })
})

describe('the header of an Inform', () => {
  beforeEach(() => start())
  const withHeader = (inner: string) => inform().replace('</SOAP-ENV:Header>', `${inner}</SOAP-ENV:Header>`)

  it.each([
    ['1.0,1.1,1.2,1.3,1.4', '1.4'],
    ['1.2, 1.0', '1.2'],
    ['1.9,1.3', '1.3'],
  ])('with the versions %s is answered with %s', async (listed, chosen) => {
    const { answer } = await enter('1', withHeader(`<c:SupportedCWMPVersions>${listed}</c:SupportedCWMPVersions>`))
    expect(answer.text).toContain(`<cwmp:UseCWMPVersion soap-env:mustUnderstand="1">${chosen}</cwmp:UseCWMPVersion>`)
    expect(world.stores.inside.devices.get(peer('1'))?.cwmp?.version).toBe(chosen)
  })

  it('without a version that both know gets 8006 and no session', async () => {
    const answer = await wire().post(withHeader('<c:SupportedCWMPVersions>2.0,3.1</c:SupportedCWMPVersions>'))
    expect(answer.text).toContain('<FaultCode>8006</FaultCode>')
    expect(world.acs.sessionCount).toBe(0)
    expect(world.stores.inside.devices.size).toBe(0)
  })

  it('of an old CPE is answered without words it would have to understand', async () => {
    const { answer } = await enter('1', inform().replace('cwmp-1-2', 'cwmp-1-0'))
    expect(answer.text).toContain('xmlns:cwmp="urn:dslforum-org:cwmp-1-0"')
    expect(answer.text).not.toContain('UseCWMPVersion')
  })

  it('without an ID is answered without one', async () => {
    const { answer } = await enter('1', inform().replace(/<c:ID[^>]*>[^<]*<\/c:ID>/, ''))
    expect(answer.text).not.toContain('<cwmp:ID')
  })
})

describe('a second Inform', () => {
  beforeEach(() => start())

  it('with the cookie and on the connection of a session begins another; what was asked in the first counts as sent', async () => {
    const { cpe, cookie, ended } = await comeForWork(get)
    world.onContact(async () => undefined)
    const again = await cpe.post(inform(), cookie)
    expect(again.text).toContain('InformResponse')
    expect(await ended[0]).toMatchObject({ name: 'TransportError', code: 'superseded', sent: true })
    expect(cookieOf(again)).not.toEqual(cookie)
    expect(world.acs.sessionCount).toBe(1)
    expect((await cpe.post('', cookieOf(again))).status).toBe(204)
  })
})

describe('a heartbeat', () => {
  beforeEach(() => start())

  it('is confirmed, and the device counts as gone: it can be asked to come', async () => {
    await meet()
    const { cpe, answer } = await enter('1', vector('heartbeat', { SERIAL: '1' }))
    expect(answer.text).toContain('<cwmp:UseCWMPVersion soap-env:mustUnderstand="1">1.4</cwmp:UseCWMPVersion>')
    const device = world.stores.inside.devices.get(peer('1'))
    expect(device?.cwmp?.events).toEqual(['14 HEARTBEAT'])
    if (device === undefined) throw new Error('no record')
    expect(await world.acs.driver.wake(device)).not.toBe('alreadyHere')
    // One that sends its empty POST all the same ends in peace.
    expect((await cpe.post('')).status).toBe(204)
  })
})

describe('enrolment', () => {
  const shared: Login = { username: peer('1'), password: 'enrolment secret' }
  const proven = async (body: string, login: Login, headers: Record<string, string> = {}) => {
    const cpe = wire()
    const challenge = await cpe.post(body, headers)
    return { cpe, answer: await cpe.post(body, { ...headers, ...digestFor(challenge, login) }) }
  }
  const inSet = (text: string, name: string) =>
    new RegExp(`ManagementServer\\.${name}</Name><Value[^>]*>([^<]*)<`).exec(text)?.[1] ?? ''

  it('that is refused in part still gives the device its own credential', async () => {
    await start({ policy: 'credential' })
    const { cpe, answer } = await proven(inform(), shared)
    const cookie = cookieOf(answer)
    const all = await cpe.post('', cookie)
    expect(all.text).toContain('PeriodicInformInterval')
    const own = await cpe.post(no, cookie)
    expect([...own.text.matchAll(/<Name>Device\.ManagementServer\.(\w+)</g)].map(([, name]) => name)).toEqual([
      'Username',
      'Password',
    ])
    const login = { username: inSet(own.text, 'Username'), password: inSet(own.text, 'Password') }
    expect((await cpe.post(ok, cookie)).text).toContain('ConnectionRequestUsername')
    expect((await cpe.post(ok, cookie)).text).toContain('PeriodicInformInterval')
    expect((await cpe.post(no, cookie)).status).toBe(204)
    expect((await proven(inform(), login)).answer.status).toBe(200)
    expect(world.credentials.get(peer('1'))?.current).toEqual(login)
    expect((await proven(inform(), shared)).answer.status).toBe(401)
  })

  it('that is refused as a whole is not tried in every session', async () => {
    await start({ policy: 'credential' })
    const { cpe, answer } = await proven(inform(), shared)
    let next = await cpe.post('', cookieOf(answer))
    while (next.status === 200) next = await cpe.post(no, cookieOf(answer))
    const second = await proven(inform(), shared)
    expect((await second.cpe.post('', cookieOf(second.answer))).status).toBe(204)
    world.clock.advance(86_400_001)
    const third = await proven(inform(), shared)
    expect((await third.cpe.post('', cookieOf(third.answer))).text).toContain('SetParameterValues')
  })

  it('under policy open lets in any device, gives it a credential once, and then asks for it', async () => {
    await start({ policy: 'open' })
    const old = { username: 'of the ACS before', password: 'x' }
    const foreign = await wire().post(inform(), digestFor(await wire().post(inform()), old))
    // Its login answers a challenge of another server, and says nothing here.
    expect(foreign.status).toBe(200)
    const cpe = wire()
    const answer = await cpe.post(inform())
    expect(answer.status).toBe(200)
    const set = await cpe.post('', cookieOf(answer))
    const login = { username: inSet(set.text, 'Username'), password: inSet(set.text, 'Password') }
    expect((await cpe.post(ok, cookieOf(answer))).status).toBe(204)
    const { cpe: again, answer: second } = await proven(inform().replace('0 BOOTSTRAP', '2 PERIODIC'), login)
    expect(second.status).toBe(200)
    expect((await again.post('', cookieOf(second))).status).toBe(204)
    expect((await proven(inform(), old)).answer.status).toBe(401)
  })

  it('takes a user name that the whole batch has, where there is one', async () => {
    await start({ policy: 'credential', enrolmentUsername: 'tr069' })
    expect((await proven(inform(), { ...shared, username: 'tr069' })).answer.status).toBe(200)
    expect((await proven(inform('2'), { ...shared, username: 'other' })).answer.status).toBe(401)
  })

  const own = { username: 'own', password: 'own secret' }
  const known = () =>
    world.credentials.set(peer('1'), { deviceId: peer('1'), current: own, connectionRequest: own, updatedAt: 0 })

  it('is not needed by a device that has its own credential; it gets a login for connection requests, and that again after a bootstrap', async () => {
    await start({ policy: 'closed' })
    world.credentials.set(peer('1'), { deviceId: peer('1'), current: own, updatedAt: 0 })
    const periodic = inform().replace('0 BOOTSTRAP', '2 PERIODIC')
    const names = (text: string) =>
      [...text.matchAll(/<Name>Device\.ManagementServer\.(\w+)</g)].map(([, name]) => name).toSorted()
    const access = [
      'ConnectionRequestPassword',
      'ConnectionRequestUsername',
      'PeriodicInformEnable',
      'PeriodicInformInterval',
    ]
    const turn = async (body: string, ...answers: string[]) => {
      const { cpe, answer } = await proven(body, own)
      let next = await cpe.post('', cookieOf(answer))
      const first = next.text
      for (const one of answers) next = await cpe.post(one, cookieOf(answer))
      expect(next.status).toBe(204)
      return first
    }
    // Taken in parts; known from then on.
    const first = await turn(periodic, no, no, ok)
    expect(names(first)).toEqual(access)
    const given = world.credentials.get(peer('1'))
    expect(given).toMatchObject({
      current: own,
      connectionRequest: { username: peer('1'), password: inSet(first, 'ConnectionRequestPassword') },
    })
    await turn(periodic)
    const again = await turn(inform(), ok)
    expect(names(again)).toEqual(access)
    expect(inSet(again, 'ConnectionRequestPassword')).toBe(given?.connectionRequest?.password)
  })

  it('of a device that was reset waits for a person, who hears of it once', async () => {
    await start({ policy: 'credential' })
    await enterAs(own, known)
    for (let i = 0; i < 3; i++) expect((await proven(inform(), shared)).answer.status).toBe(401)
    const told = world.stores.inside.events.filter(({ type }) => type === 'device.refused')
    expect(told).toMatchObject([{ deviceId: peer('1'), protocol: 'cwmp', data: { reason: 'reset' } }])
    expect((await proven(inform(), own)).answer.status).toBe(200)
  })

  it('of a device that was reset needs no person where the operator says so, but a bootstrap', async () => {
    await start({ policy: 'credential', reEnrolment: 'bootstrap' })
    known()
    const periodic = inform().replace('0 BOOTSTRAP', '2 PERIODIC')
    expect((await proven(periodic, shared)).answer.status).toBe(401)
    const { cpe, answer } = await proven(inform(), shared)
    expect(answer.status).toBe(200)
    const set = await cpe.post('', cookieOf(answer))
    // Not the one it had: whoever knows the enrolment secret can tell of a bootstrap.
    expect(inSet(set.text, 'Password')).not.toBe(own.password)
    // Its answer is out: on a new connection the credential from before the reset is good as well, until one of them
    // was used.
    expect((await proven(inform(), own)).answer.status).toBe(200)
    expect((await proven(periodic, shared)).answer.status).toBe(401)
  })

  it('is open to a device that was told to reset, even when its answer is lost; also to one that did not do it', async () => {
    await start({ policy: 'credential' })
    known()
    await enterAs(own, known)
    const [ended] = work('1', { verb: 'factoryReset' })
    const { cpe, answer } = await proven(inform().replace('0 BOOTSTRAP', '2 PERIODIC'), own)
    expect((await cpe.post('', cookieOf(answer))).text).toContain('<cwmp:FactoryReset>')
    cpe.close()
    expect((await proven(inform(), shared)).answer.status).toBe(200)
    await ended
    expect((await proven(inform(), own)).answer.status).toBe(200)
    expect((await proven(inform(), shared)).answer.status).toBe(401)
  })

  /** One whole session with a credential, so that the device is on record. */
  async function enterAs(login: Login, prepare: () => unknown): Promise<void> {
    prepare()
    const { cpe, answer } = await proven(inform().replace('0 BOOTSTRAP', '2 PERIODIC'), login)
    expect((await cpe.post('', cookieOf(answer))).status).toBe(204)
  }
})
