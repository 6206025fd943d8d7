import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inTurns, Pace } from '../../../src/base/index.ts'
import { type Element, XML_LIMITS } from '../../../src/cwmp/wire/element.ts'
import { envelopeWork } from '../../../src/cwmp/wire/index.ts'
import { SLICE } from '../../../src/cwmp/wire/text.ts'
import { parseXml } from '../../../src/cwmp/wire/xml.ts'
import { MAX_LENIENT, readLeniently } from '../../../src/cwmp/wire/xml-lenient.ts'
import { StrictReader } from '../../../src/cwmp/wire/xml-strict.ts'
import { atOnce } from '../../support/at-once.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'

const MIB = 1_048_576
const SOAP = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-2"'
const envelope = (body: string) => `<s:Envelope ${SOAP}><s:Body>${body}</s:Body></s:Envelope>`
const filled = (piece: string, size: number, before = '', after = '') =>
  before + piece.repeat(Math.floor((size - before.length - after.length) / piece.length)) + after
const numbered = (count: number, piece: (i: number) => string) => Array.from({ length: count }, (_, i) => piece(i))

/** Shapes that made a parser work far more than their size says. */
const shapes = (size: number): [string, string][] => [
  ['bare ampersands', filled('&', size, '<r>', '</r>')],
  ['references that are cut off', filled('&#1', size, '<r>', '</r>')],
  ['references', filled('&amp;', size, '<r>', '</r>')],
  ['attributes', `<r ${numbered(size / 16, (i) => `a${i}="1"`).join(' ')}/>`],
  ['namespaces', `<r ${numbered(size / 24, (i) => `xmlns:a${i}="urn:x"`).join(' ')}/>`],
  ['attributes without a value', filled(' a', size, '<r', '/>')],
  ['elements', filled('<a/>', size, '<r>', '</r>')],
  ['elements that never end', filled('<a>', size)],
  ['ends without a beginning', filled('</a>', size)],
  ['pairs that do not match', filled('<a></b>', size, '<r>', '</r>')],
  ['one long text', filled('x', size, '<r>', '</r>')],
  ['one long name', filled('x', size, '<', '/>')],
  ['one long attribute', filled('x', size, '<r a="', '"/>')],
  ['one long comment', filled('-x', size, '<!--', '--><r/>')],
  ['comments', filled('<!---->', size, '<r>', '</r>')],
  ['comments that never end', filled('<!--', size)],
  ['CDATA', filled('<![CDATA[x]]>', size, '<r>', '</r>')],
  ['CDATA that never end', filled('<![CDATA[', size, '<r>')],
  ['processing instructions', filled('<?a?>', size, '<r>', '</r>')],
  ['quotes of both kinds', filled('a="\' ', size, '<r ', '>')],
  ['blanks', filled(' ', size)],
  ['control characters', filled('\u0001', size, '<r>', '</r>')],
  ['parameters', envelope(`<c:X><L>${filled('<P><Name>A</Name></P>', size)}</L></c:X>`)],
  [
    'parameters of a method',
    envelope(
      `<c:GetParameterValuesResponse><ParameterList>${filled('<P><Name>A</Name></P>', size)}</ParameterList></c:GetParameterValuesResponse>`,
    ),
  ],
]

describe('the work of reading', () => {
  it.each(shapes(2 * MIB))('of 2 MiB of %s comes in portions, and is a bounded multiple of its size', (_name, text) => {
    const bytes = Buffer.from(text)
    const work = envelopeWork(bytes)
    let units = 0
    try {
      for (let step = work.next(); step.done !== true; step = work.next()) {
        expect(step.value).toBeLessThanOrEqual(SLICE)
        units += step.value
      }
    } catch (error) {
      expect(error).toMatchObject({ name: 'ProtocolError' })
    }
    expect(units).toBeLessThanOrEqual(6 * bytes.length)
  })

  it.each(shapes(MAX_LENIENT))('of %s as long as the lenient reader takes it is bounded, too', (_name, text) => {
    const bytes = Buffer.from(text)
    const work = envelopeWork(bytes)
    let units = 0
    try {
      for (let step = work.next(); step.done !== true; step = work.next()) {
        expect(step.value).toBeLessThanOrEqual(bytes.length + 16)
        units += step.value
      }
    } catch (error) {
      expect(error).toMatchObject({ name: 'ProtocolError' })
    }
    expect(units).toBeLessThanOrEqual(8 * bytes.length)
  })

  it('makes a bounded number of nodes in a portion', () => {
    const reader = new StrictReader(XML_LIMITS)
    reader.write('<r>')
    let before = reader.elements
    for (let i = 0; i < 8; i++) {
      reader.write('<a/>'.repeat(SLICE / 4))
      expect(reader.elements - before).toBeLessThanOrEqual(SLICE / 4)
      before = reader.elements
    }
  })

  it('counts attributes and namespaces while they arrive, not at the end of their element', () => {
    for (const piece of [(i: number) => `a${i}="1"`, (i: number) => `xmlns:a${i}="u"`]) {
      const reader = new StrictReader(XML_LIMITS)
      // The element is not closed: nothing but the count can refuse it.
      expect(() => reader.write(`<r ${numbered(65, piece).join(' ')} `)).toThrow(/more than 64 attributes/)
    }
  })

  it('gives the event loop back between the portions of a large document', async () => {
    const bytes = Buffer.from(filled('<a>x</a>', MIB, '<r>', '</r>'))
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await inTurns(parseXml(bytes), new Pace(65_536))
    isDone = true
    expect(turns).toBeGreaterThanOrEqual(MIB / 65_536 - 1)
  })
})

describe('the limits', () => {
  it.each([
    ['text', filled('x', 3 * MIB, '<r>', '</r>')],
    ['comment', filled('x', 3 * MIB, '<r><!--', '--></r>')],
    ['name', filled('x', 3 * MIB, '<', '/>')],
    ['attribute', filled('x', 3 * MIB, '<r a="', '"/>')],
  ])('refuse a %s that is too long', (_name, text) => {
    expect(() => atOnce(parseXml(Buffer.from(text)))).toThrow(/more than 1048576 characters/)
  })

  it('say where the document broke them', () => {
    const text = envelope(`\n<c:X><a ${numbered(65, (i) => `a${i}=""`).join(' ')}/></c:X>`)
    expect(() => decodeEnvelope(Buffer.from(text))).toThrow(
      /^more than 64 attributes \(line 2, column \d+ in Envelope\/Body\/X\)$/,
    )
  })
})

describe('the strict reader', () => {
  const read = (pieces: readonly string[]): Element => {
    const reader = new StrictReader(XML_LIMITS)
    for (const piece of pieces) reader.write(piece)
    return reader.end()
  }

  it('makes one character of each line end, wherever the pieces of the document are cut', () => {
    const part = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      'x',
      '<a/>',
      '<a\r\nb="1\r2"/>',
      '<![CDATA[\r]]>',
      '&#13;',
      '<!--\r-->',
    )
    const document = fc.tuple(fc.array(part), fc.constantFrom('', '\r', '\r\n'))
    const sizes = fc.array(fc.integer({ min: 0, max: 5 }))
    fc.assert(
      fc.property(document, sizes, ([parts, end], lengths) => {
        const text = `<r>${parts.join('')}</r>${end}`
        let at = 0
        const pieces = lengths.map((length) => {
          at += length
          return text.slice(at - length, at)
        })
        expect(read([...pieces, text.slice(at)])).toEqual(read([text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')]))
      }),
      { numRuns: 2000 },
    )
  })

  it('says the place of a mistake after line ends of all kinds', () => {
    expect(() => read(['<r>\r', '\n\r', 'x\n', '</s>'])).toThrow(/line 4, column 4/)
    expect(() => read(['<r/>\r', 'x\r'])).toThrow(/line 2/)
  })
})

describe('the lenient reader', () => {
  const lenient = (text: string) => readLeniently(text, XML_LIMITS)
  const strict = (text: string) => atOnce(parseXml(Buffer.from(text))).root

  it('reads a well-formed document as the strict one does', () => {
    const name = fc.constantFrom('a', 'b', 's:c', 'Name')
    const text = fc.constantFrom('', 'x', ' y ', '&amp;&lt;', '&#65;', '<![CDATA[a & <b>]]>', 'ü', '\n', '1 &gt; 0')
    const attribute = fc.constantFrom('', ' x="1"', " s:type='a&amp;b'", ' xmlns:n="urn:n" n:q=""')
    const leaf = fc.constant('')
    const around = (inner: fc.Arbitrary<string>) =>
      fc
        .tuple(name, attribute, text, fc.array(inner, { maxLength: 3 }), text)
        .map(([tag, given, before, all, after]) => `<${tag}${given}>${before}${all.join('')}${after}</${tag}>`)
    const node = around(around(around(leaf)))
    fc.assert(
      fc.property(node, (inner) => {
        const document = `<?xml version="1.0"?>\n<r xmlns:s="urn:s" xmlns="urn:d">${inner}</r>\n`
        expect(lenient(document)).toEqual(strict(document))
      }),
    )
  })

  it.each<[string, string, Partial<Element>]>([
    ['a prefix that is not declared', '<x:r><y:a z:t="1">v</y:a></x:r>', { name: 'r', uri: '' }],
    ['characters before the declaration', 'HTTP\r\n<?xml version="1.0"?><r>v</r>', { name: 'r', text: 'v' }],
    ['bare ampersands', '<r>a & b &amp; c &unknown; &#0;</r>', { text: 'a & b & c &unknown; &#0;' }],
    ['control characters', '<r>a\u0001b\u0000</r>\u0000', { text: 'ab' }],
    ['attributes without quotes in between', '<r a="1"b="2">v</r>', { attributes: { a: '1', b: '2' }, text: 'v' }],
  ])('takes %s', (_name, text, want) => {
    expect(lenient(text)).toMatchObject(want)
  })

  it.each([
    ['an element that is not closed', '<r><a>v</r>', 'xml'],
    ['a document that is cut off', '<r><a>v</a>', 'xml'],
    ['a tag that is cut off', '<r><a', 'xml'],
    ['an end too many', '<r></r></r>', 'xml'],
    ['two roots', '<r></r><r></r>', 'xml'],
    ['no element', 'only text', 'xml'],
    ['a DOCTYPE', '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', 'xmlForbidden'],
    ['depth', `${'<a>'.repeat(40)}${'</a>'.repeat(40)}`, 'xmlTooDeep'],
    ['many attributes', `<r ${numbered(65, (i) => `a${i}="1"`).join(' ')}></r>`, 'xmlTooLarge'],
    ['many marks', filled('<a/>', MAX_LENIENT, '<r>', '</r>'), 'xmlTooLarge'],
  ])('refuses %s', (_name, text, code) => {
    expect(() => lenient(text)).toThrow(expect.objectContaining({ name: 'ProtocolError', code }))
  })

  it('is not asked about documents longer than its limit: the strict reader says what is wrong', () => {
    const text = envelope(filled('<a>&</a>', MAX_LENIENT + 100))
    expect(() => decodeEnvelope(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'xml' }))
  })

  it('never fails with anything but a ProtocolError', () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      ' ',
      '"',
      "'",
      '=',
      '&',
      ';',
      '!',
      '-',
      '[CDATA[',
      ']]>',
      '?',
      ':',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (all) => {
        try {
          lenient(all.join(''))
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('an Inform that breaks its declaration', () => {
  it('still tells who sent it', () => {
    const id = '<DeviceId><OUI>00256D</OUI><ProductClass>B</ProductClass><SerialNumber> 7\n</SerialNumber></DeviceId>'
    const events = `<Event>${'<EventStruct/>'.repeat(1100)}</Event>`
    const { message } = decodeEnvelope(Buffer.from(envelope(`<c:Inform>${id}${events}</c:Inform>`)))
    expect(message).toMatchObject({
      kind: 'unknown',
      name: 'Inform',
      error: { code: 'tooMany', message: 'Inform/Event has more than 1024 items' },
      sender: { OUI: '00256D', SerialNumber: '7' },
    })
  })

  it('is read when only what nobody needs is odd', () => {
    const text = envelope(
      `<c:Inform><DeviceId><Manufacturer>${'m'.repeat(300)}</Manufacturer></DeviceId><MaxEnvelopes>-1</MaxEnvelopes><RetryCount>99999999999</RetryCount></c:Inform>`,
    )
    expect(decodeEnvelope(Buffer.from(text)).message).toMatchObject({
      kind: 'request',
      body: { DeviceId: { Manufacturer: 'm'.repeat(256) }, MaxEnvelopes: 1, RetryCount: 0 },
    })
  })
})
