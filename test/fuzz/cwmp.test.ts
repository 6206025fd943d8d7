import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { CpeWire, cookieOf } from '../support/cwmp-wire.ts'
import { post, rawHttp } from '../support/raw-http.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const XML = { 'content-type': 'text/xml; charset="utf-8"', soapaction: '' }

function inform(serial = 'FUZZ1', inner = ''): string {
  return `<?xml version="1.0"?><soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-2"><soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">1</cwmp:ID></soap-env:Header><soap-env:Body><cwmp:Inform><DeviceId><Manufacturer>Acme</Manufacturer><OUI>00256D</OUI><ProductClass>Box</ProductClass><SerialNumber>${serial}</SerialNumber></DeviceId><Event soap-enc:arrayType="cwmp:EventStruct[1]"><EventStruct><EventCode>2 PERIODIC</EventCode><CommandKey></CommandKey></EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[1]"><ParameterValueStruct><Name>Device.DeviceInfo.SoftwareVersion</Name><Value xsi:type="xsd:string">1.0${inner}</Value></ParameterValueStruct></ParameterList></cwmp:Inform></soap-env:Body></soap-env:Envelope>`
}

const packed = (body: Uint8Array) => post('/', gzipSync(body), { ...XML, 'content-encoding': 'gzip' })

describe('hostile CWMP', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'), { enrolment: 'open', discovery: 'none' })
  })
  afterAll(async () => {
    await server?.stop()
  })

  async function stillServes(): Promise<void> {
    const answer = await rawHttp(server.cwmpPort, post('/', inform(), XML))
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('InformResponse')
  }

  const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${inform().slice(21)}`
  const cases: [string, Uint8Array[]][] = [
    ['an entity bomb', post('/', bomb, XML)],
    [
      'an external entity',
      post('/', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${inform('S', '&e;')}`, XML),
    ],
    ['100,000 levels of elements', post('/', '<a>'.repeat(100_000), XML)],
    [
      'a million attributes',
      post('/', `<a ${Array.from({ length: 100_000 }, (_, i) => `b${i}="1"`).join(' ')}/>`, XML),
    ],
    [
      'a million namespaces',
      post('/', `<a ${Array.from({ length: 100_000 }, (_, i) => `xmlns:b${i}="u"`).join(' ')}/>`, XML),
    ],
    ['bare ampersands that unpack to a thousand times their size', packed(Buffer.alloc(1_048_575, '&'))],
    ['bare ampersands as long as an Inform may be', post('/', `<a>${'&'.repeat(260_000)}</a>`, XML)],
    ['references that are cut off', post('/', `<a>${'&#1'.repeat(80_000)}</a>`, XML)],
    ['comments without end', post('/', `<a>${'<!--'.repeat(60_000)}`, XML)],
    ['CDATA without end', post('/', `<a>${'<![CDATA['.repeat(25_000)}`, XML)],
    ['elements that do not nest', post('/', `<a>${'<b></c>'.repeat(30_000)}</a>`, XML)],
    ['one name of 200 KB', post('/', `<${'a'.repeat(200_000)}/>`, XML)],
    ['a half envelope', post('/', inform().slice(0, 600), XML)],
    ['no XML at all', post('/', Buffer.from([0xff, 0xfe, 0, 1, 2, 3]), XML)],
    ['an unknown charset', post('/', inform(), { ...XML, 'content-type': 'text/xml; charset=klingon' })],
    ['an unknown content encoding', post('/', inform(), { ...XML, 'content-encoding': 'br-and-more' })],
    ['gzip that is none', post('/', 'not gzip', { ...XML, 'content-encoding': 'gzip' })],
    ['a gzip bomb', post('/', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)), { ...XML, 'content-encoding': 'gzip' })],
    ['an OUI that is none', post('/', inform().replace('00256D', '<b/>'), XML)],
    ['an empty serial number', post('/', inform(''), XML)],
    ['a serial number of 10 KB', post('/', inform('x'.repeat(10_000)), XML)],
    ['a response nobody asked for', post('/', inform().replaceAll('cwmp:Inform>', 'cwmp:RebootResponse>'), XML)],
    [
      'a fault nobody asked for',
      post(
        '/',
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Fault><faultcode>Client</faultcode></Fault></Body></Envelope>',
        XML,
      ),
    ],
    ['an empty POST without a session', post('/', '')],
    ['a cookie that was never set', post('/', '', { cookie: 'session=../../etc; $Version=1' })],
    ['a header of 100 KB', post('/', inform(), { ...XML, 'x-long': 'y'.repeat(100_000) })],
    ['another method', [Buffer.from('DELETE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')]],
    ['no HTTP', [Buffer.from('\x16\x03\x01\x02\x00\x01\x00hello\r\n\r\n')]],
  ]

  it.each(cases)('answers %s with an error or a fault and stays up', async (_name, bytes) => {
    const answer = await rawHttp(server.cwmpPort, bytes)
    expect(answer.text).not.toContain('InformResponse>')
    expect(answer.text).not.toMatch(/at .*\.(ts|js):\d+/)
    expect(answer.status === 0 || answer.status >= 200).toBe(true)
    await stillServes()
  })

  it('takes bare ampersands of field devices as text, never as entities', async () => {
    const answer = await rawHttp(server.cwmpPort, post('/', inform('S2', '&nothing;&bad'), XML))
    expect(answer.text).toContain('InformResponse')
  })

  it.each<[string, string]>([
    ['attributes', `<r ${Array.from({ length: 500_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`],
    ['namespaces', `<r ${Array.from({ length: 300_000 }, (_, i) => `xmlns:a${i}="u"`).join(' ')}/>`],
    ['ampersands', `<r>${'&'.repeat(8_000_000)}</r>`],
    ['elements', `<r>${'<a/>'.repeat(2_000_000)}</r>`],
    ['comments', `<r>${'<!---->'.repeat(1_000_000)}</r>`],
  ])('refuses megabytes of %s within a session, and serves others meanwhile', async (_name, body) => {
    const cpe = new CpeWire(server.cwmpPort)
    const first = await cpe.post(inform('LARGE'))
    const large = cpe.post(body, cookieOf(first))
    await stillServes()
    expect((await large).status).toBe(400)
    cpe.close()
    await stillServes()
  })

  it.each([
    [
      'a prefix that is not declared',
      inform('ODD').replace(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ''),
    ],
    ['characters before the declaration', `\r\n\0${inform('ODD')}`],
    ['attributes that are not parted', inform('ODD').replace('soap-env:mustUnderstand="1">', 'a="1"b="2">')],
    ['a retry count below nothing', inform('ODD').replace('<RetryCount>0', '<RetryCount>-1')],
  ])('takes an Inform with %s', async (_name, text) => {
    const answer = await rawHttp(server.cwmpPort, post('/', text, XML))
    expect(answer.text).toContain('InformResponse')
  })

  it('says 413 to a body over the limit, announced or not', async () => {
    const announced = await rawHttp(server.cwmpPort, [
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/xml\r\ncontent-length: 99999999\r\n\r\n`,
    ])
    expect(announced.status).toBe(413)
    const chunk = `${(1024 * 1024).toString(16)}\r\n${' '.repeat(1024 * 1024)}\r\n`
    const chunked = await rawHttp(server.cwmpPort, [
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/xml\r\ntransfer-encoding: chunked\r\n\r\n',
      ...Array.from({ length: 18 }, () => chunk),
    ])
    expect([0, 413]).toContain(chunked.status)
    await stillServes()
  })

  it('stays up and serves others under random mutations of an Inform', async () => {
    const base = inform()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(base.length - 1),
        fc.nat(40),
        fc.string({ unit: 'binary', maxLength: 20 }),
        async (at, cut, put) => {
          const answer = await rawHttp(server.cwmpPort, post('/', base.slice(0, at) + put + base.slice(at + cut), XML))
          expect(answer.status).toBeGreaterThanOrEqual(200)
          expect(answer.status).not.toBe(500)
        },
      ),
      { numRuns: 200 },
    )
    await stillServes()
  })

  it('gets through sessions in which a device answers whatever comes to its mind', async () => {
    const walking = await startTestServer(inject('mongodbUri'), { enrolment: 'open', discovery: 'walk' })
    const wrap = (body: string) =>
      `<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-2"><E:Body>${body}</E:Body></E:Envelope>`
    const names = fc.constantFrom(
      'Device.',
      'Device.A.',
      'Device.A.B',
      'Device..',
      '.',
      'Device.$x.',
      'Device.A.1.',
      'X',
    )
    const list = (item: string, inner: (name: string) => string) =>
      fc.array(names, { maxLength: 5 }).map((all) => all.map((name) => `<${item}>${inner(name)}</${item}>`).join(''))
    const answers = fc.oneof(
      list('ParameterInfoStruct', (name) => `<Name>${name}</Name><Writable>1</Writable>`).map((inner) =>
        wrap(`<c:GetParameterNamesResponse><ParameterList>${inner}</ParameterList></c:GetParameterNamesResponse>`),
      ),
      list('ParameterValueStruct', (name) => `<Name>${name}</Name><Value>v</Value>`).map((inner) =>
        wrap(`<c:GetParameterValuesResponse><ParameterList>${inner}</ParameterList></c:GetParameterValuesResponse>`),
      ),
      fc
        .constantFrom(9000, 9002, 9004, 9005, 0, 12345)
        .map((code) => wrap(`<E:Fault><detail><c:Fault><FaultCode>${code}</FaultCode></c:Fault></detail></E:Fault>`)),
      fc
        .constantFrom('TransferComplete', 'GetRPCMethods', 'RebootResponse', 'X_Sing')
        .map((name) => wrap(`<c:${name}/>`)),
      fc.string({ unit: 'binary', maxLength: 50 }),
    )
    let serial = 0
    await fc.assert(
      fc.asyncProperty(fc.array(answers, { maxLength: 30 }), async (all) => {
        const cpe = new CpeWire(walking.cwmpPort)
        const first = await cpe.post(inform(`M${serial++}`))
        expect(first.status).toBe(200)
        let last = await cpe.post('', cookieOf(first))
        for (const answer of all) {
          if (last.status !== 200) break
          last = await cpe.post(answer, cookieOf(first))
        }
        cpe.close()
        expect([200, 204, 400]).toContain(last.status)
      }),
      { numRuns: 100 },
    )
    const answer = await rawHttp(walking.cwmpPort, post('/', inform('LAST'), XML))
    expect(answer.text).toContain('InformResponse')
    await walking.stop()
  })
})
