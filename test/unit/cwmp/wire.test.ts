import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CwmpEnvelope, encodeEnvelope, RPCS, versionOfUrn } from '../../../src/cwmp/wire/index.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'

const VECTORS = join(import.meta.dirname, '../../vectors/cwmp/read')
const URN = 'urn:dslforum-org:cwmp-1-2'

describe('vectors made by hand from the tables of TR-069', () => {
  const names = readdirSync(VECTORS)
    .filter((name) => name.endsWith('.xml'))
    .map((name) => name.slice(0, -4))
  it.each(names)('%s reads as expected', (name) => {
    const want = JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8'))
    expect(decodeEnvelope(readFileSync(join(VECTORS, `${name}.xml`)))).toEqual(want)
  })

  it('are all there', () => expect(names.length).toBeGreaterThanOrEqual(5))
})

describe('encodeEnvelope', () => {
  it('writes SetParameterValues byte for byte as the schema has it', () => {
    const text = encodeEnvelope(
      URN,
      { id: '42' },
      {
        kind: 'request',
        name: 'SetParameterValues',
        body: {
          ParameterList: [{ name: 'Device.WiFi.SSID.1.Enable', value: '1', type: 'boolean' }],
          ParameterKey: 'k<1',
        },
      },
    )
    expect(text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-2"><soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">42</cwmp:ID></soap-env:Header><soap-env:Body><cwmp:SetParameterValues><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[1]"><ParameterValueStruct><Name>Device.WiFi.SSID.1.Enable</Name><Value xsi:type="xsd:boolean">1</Value></ParameterValueStruct></ParameterList><ParameterKey>k&lt;1</ParameterKey></cwmp:SetParameterValues></soap-env:Body></soap-env:Envelope>',
    )
  })

  it.each([
    [
      'InformResponse',
      { kind: 'response', name: 'Inform', body: { MaxEnvelopes: 1 } },
      '<cwmp:InformResponse><MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>',
    ],
    [
      'GetParameterNames',
      { kind: 'request', name: 'GetParameterNames', body: { ParameterPath: 'Device.', NextLevel: true } },
      '<cwmp:GetParameterNames><ParameterPath>Device.</ParameterPath><NextLevel>1</NextLevel></cwmp:GetParameterNames>',
    ],
    [
      'GetParameterValues',
      { kind: 'request', name: 'GetParameterValues', body: { ParameterNames: ['Device.A', 'Device.B.'] } },
      '<cwmp:GetParameterValues><ParameterNames soap-enc:arrayType="xsd:string[2]"><string>Device.A</string><string>Device.B.</string></ParameterNames></cwmp:GetParameterValues>',
    ],
    [
      'AddObject',
      { kind: 'request', name: 'AddObject', body: { ObjectName: 'Device.A.', ParameterKey: '' } },
      '<cwmp:AddObject><ObjectName>Device.A.</ObjectName><ParameterKey></ParameterKey></cwmp:AddObject>',
    ],
    ['FactoryReset', { kind: 'request', name: 'FactoryReset', body: {} }, '<cwmp:FactoryReset></cwmp:FactoryReset>'],
    [
      'TransferCompleteResponse',
      { kind: 'response', name: 'TransferComplete', body: {} },
      '<cwmp:TransferCompleteResponse></cwmp:TransferCompleteResponse>',
    ],
    [
      'Fault',
      { kind: 'fault', fault: { code: 8000, text: 'Method not supported', parameters: [] } },
      '<soap-env:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault><FaultCode>8000</FaultCode><FaultString>Method not supported</FaultString></cwmp:Fault></detail></soap-env:Fault>',
    ],
  ] as const)('puts %s into the Body as the schema orders it', (_name, message, body) => {
    const text = encodeEnvelope(URN, {}, message as Parameters<typeof encodeEnvelope>[2])
    expect(text.slice(text.indexOf('<soap-env:Body>') + 15, text.indexOf('</soap-env:Body>'))).toBe(body)
  })

  it('gives back what it wrote, for any text', () => {
    // A lone carriage return is a line end to XML unless it is written as a reference, which we do; unpaired surrogates
    // cannot be carried.
    const text = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .map((value) => value.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ''))
    fc.assert(
      fc.property(
        text,
        // A ParameterKey has 32 characters at most.
        text.map((key) => [...key].slice(0, 16).join('')),
        fc.array(
          // White space around a name means nothing and is not given back.
          fc.record({
            name: text.map((name) => name.trim()),
            value: text,
            type: fc.constantFrom('string', 'boolean', 'unsignedInt', 'base64'),
          }),
        ),
        (id, key, list) => {
          const message = {
            kind: 'request' as const,
            name: 'SetParameterValues' as const,
            body: { ParameterList: list, ParameterKey: key },
          }
          const back = decodeEnvelope(Buffer.from(encodeEnvelope(URN, { id }, message)))
          expect(back).toEqual({ urn: URN, header: { id }, message, repaired: false } satisfies CwmpEnvelope)
        },
      ),
    )
  })
})

describe('hostile and broken documents', () => {
  const wrap = (body: string) =>
    Buffer.from(`<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>${body}</Body></Envelope>`)
  it.each([
    ['a DOCTYPE', Buffer.from('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), 'xmlForbidden'],
    ['depth', Buffer.from('<a>'.repeat(1000)), 'xmlTooDeep'],
    [
      'many attributes',
      Buffer.from(`<a ${Array.from({ length: 100 }, (_, i) => `b${i}="1"`).join(' ')}/>`),
      'xmlTooLarge',
    ],
    ['a cut text', Buffer.from('<Envelope><Body>'), 'xml'],
    ['nothing', Buffer.from(''), 'xml'],
    ['no envelope', Buffer.from('<html/>'), 'envelope'],
    ['two bodies', wrap('<a/><b/>'), 'envelope'],
  ])('%s is refused with code and place', (_name, bytes, code) => {
    let thrown: unknown
    try {
      decodeEnvelope(bytes)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ name: 'ProtocolError', code })
  })

  it.each([
    ['a wrong type', 'TransferComplete', '<FaultStruct><FaultCode>many</FaultCode></FaultStruct>', 'type'],
    ['a long key', 'TransferComplete', `<CommandKey>${'x'.repeat(300)}</CommandKey>`, 'tooLong'],
    ['1,100 events', 'Inform', `<Event>${'<EventStruct/>'.repeat(1100)}</Event>`, 'tooMany'],
    ['a response that makes no sense', 'AddObjectResponse', '<InstanceNumber>first</InstanceNumber>', 'type'],
  ])('%s leaves a message that can be answered with a fault', (_name, method, inner, code) => {
    const { message } = decodeEnvelope(wrap(`<${method}>${inner}</${method}>`))
    expect(message).toMatchObject({ kind: 'unknown', name: method, error: { name: 'ProtocolError', code } })
  })

  it('refuses a charset nobody knows', () => {
    expect(() => decodeEnvelope(wrap('<a/>'), 'text/xml; charset=klingon')).toThrow(/klingon/)
  })

  describe('charsets', () => {
    const text = (declared: string) =>
      `<?xml version="1.0"${declared}?><Envelope><Body><GetParameterValuesResponse><ParameterList><S><Name>Device.A</Name><Value>Küche</Value></S></ParameterList></GetParameterValuesResponse></Body></Envelope>`
    const latin1 = ' encoding="ISO-8859-1"'
    const wide = Buffer.from(text(''), 'utf16le')
    it.each<[string, Uint8Array, string | undefined]>([
      ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text('')}`), 'text/xml'],
      ['UTF-8 without a word', Buffer.from(text('')), undefined],
      ['latin1 by the XML declaration', Buffer.from(text(latin1), 'latin1'), 'text/html'],
      ['latin1 by the header', Buffer.from(text(''), 'latin1'), "text/xml; charset='iso-8859-1'"],
      [
        'latin1 by the declaration behind a header nobody knows',
        Buffer.from(text(latin1), 'latin1'),
        'a; charset=x-own',
      ],
      ['UTF-16 with a byte order mark', Buffer.concat([Buffer.from([0xff, 0xfe]), wide]), 'text/xml; charset=utf-8'],
      ['UTF-16 without one', wide, 'text/xml'],
      ['big-endian UTF-16', Buffer.from(wide).swap16(), 'text/xml; charset=utf-16'],
    ])('%s is read', (_name, bytes, contentType) => {
      const { message } = decodeEnvelope(bytes, contentType)
      expect(message).toMatchObject({ body: { ParameterList: [{ name: 'Device.A', value: 'Küche' }] } })
    })

    it('replaces bytes that are none of the charset', () => {
      const { message } = decodeEnvelope(Buffer.from(text(''), 'latin1'), 'text/xml; charset=utf-8')
      expect(message).toMatchObject({ body: { ParameterList: [{ value: 'K\ufffdche' }] } })
    })
  })

  it('never fails with anything but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeEnvelope(bytes)
        } catch (error) {
          expect((error as Error).name).toBe('ProtocolError')
        }
      }),
    )
  })
})

describe('the methods', () => {
  it('know both directions and the version behind a namespace', () => {
    expect(RPCS.Inform.from).toBe('cpe')
    expect(RPCS.AddObject.from).toBe('acs')
    expect([
      versionOfUrn('urn:dslforum-org:cwmp-1-0'),
      versionOfUrn(URN),
      versionOfUrn('urn:dslforum-org:cwmp-1-9'),
    ]).toEqual(['1.0', '1.2', '1.4'])
  })
})
