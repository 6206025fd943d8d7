import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Element, XML_LIMITS, type XmlLimits } from '../../../src/cwmp/wire/element.ts'
import { SLICE } from '../../../src/cwmp/wire/text.ts'
import { parseXml } from '../../../src/cwmp/wire/xml.ts'
import { StrictReader } from '../../../src/cwmp/wire/xml-strict.ts'
import { usualWork } from '../../../src/cwmp/wire/xml-usual.ts'
import { atOnce } from '../../support/at-once.ts'

const usual = (text: string, limits: XmlLimits = XML_LIMITS) => atOnce(usualWork(text, limits))

/** The result of the strict reader; undefined where it refuses. */
function strict(text: string, limits: XmlLimits = XML_LIMITS): Element | undefined {
  const reader = new StrictReader(limits)
  try {
    // As `parseXml` gives it.
    reader.write(text.trimStart())
    return reader.end()
  } catch {
    return undefined
  }
}

const files = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? files(path) : path.endsWith('.xml') ? [path] : []
  })

const NAMES = ['a', 'B-1', 'soap:a', 's:Body', 'xsi:type', 'x', 'xml:lang', '_y.z', '1', 's:', ':a', 'a:b:c', 'é']
const SPACES = ['', ' ', '\n', '\t', '\r\n', '\r', '\r\r\n', '  ']
const pieces = fc.constantFrom(
  ...NAMES.flatMap((name) => [`<${name}>`, `</${name}>`, `<${name}/>`, `<${name} `, name]),
  ...SPACES,
  ...['xmlns="urn:a"', 'xmlns:s="urn:s"', "xmlns:soap='urn:s'", 'xmlns:s=""', 'xmlns=""', 'xmlns:xml="urn:x"'],
  ...[
    'a="1"',
    "a='1'",
    'a = "1"',
    'a="<"',
    'a="&amp;"',
    's:a="2"',
    'a="\t"',
    'a=1',
    'a',
    '__proto__="1"',
    'toString="1"',
  ],
  ...['&amp;', '&lt;', '&quot;', '&#65;', '&#0;', '&', '&x;', ']]>', '<![CDATA[x]]>', '<!-- -->', '<?a b?>'],
  ...['a\rb', 'a\r\n', '\r&lt;', '&amp;\r', 'a="\r"', 'xmlns:s="u\r"'],
  ...[
    'text',
    'ü',
    '\u0001',
    '\ud83d\ude00',
    '\ud83d',
    '\u0085',
    '\u2028',
    '>',
    '"',
    '/>',
    '<',
    '=',
    '\uffff',
    '\u007f',
  ],
  ...['<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8' ?>", '<!DOCTYPE a>', '\ufeff'],
)

describe('the reader of usual documents', () => {
  it('makes the same tree as the strict one, or none', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const root = usual(text)
        if (root !== undefined) expect(root).toEqual(strict(text))
      }),
      { numRuns: 20_000 },
    )
  })

  it('makes the same tree of what is well-formed', () => {
    const lines = ['\r\n', '\r', '\r\r\n', 'a\rb', 'a\r\nb\r', '\r&amp;\r\n', '&lt;\n\r']
    const leaf = fc.constantFrom('', 'v', ' a &amp; b ', '&lt;&gt;', 'x > y', 'größer', '1 BOOT', ...lines)
    const space = fc.constantFrom('', ' ', '\n', '\r\n', '\r', '\r\t')
    const attribute = fc.constantFrom(
      '',
      ' a="1"',
      ' xsi:type="xsd:string"',
      "\n  a='\"'",
      "\r\n\ta='\"'\r",
      ' xmlns="urn:n"',
      ' xmlns:s="urn:t"',
    )
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc
        .tuple(
          fc.constantFrom('a', 's:b', 'C.1'),
          attribute,
          fc.array(fc.oneof(leaf, tie('tree')), { maxLength: 4 }),
          space,
        )
        .map(([name, given, content, end]) =>
          content.length === 0 ? `<${name}${given} />` : `<${name}${given}>${content.join('')}</${name}${end}>`,
        ),
    }))
    const document = fc
      .tuple(space, space, tree, space)
      .map(
        ([before, between, inner, after]) =>
          `${before}<?xml version="1.0" encoding="UTF-8"?>${between}<r xmlns:s="urn:s" xmlns:xsi="urn:i">${inner}</r>${after}`,
      )
    fc.assert(
      fc.property(document, (text) => {
        const root = usual(text)
        expect(root).toBeDefined()
        expect(root).toEqual(strict(text))
      }),
      { numRuns: 3000 },
    )
  })

  it('reads nearly every vector, and as the strict one does', () => {
    const texts = files('test/vectors/cwmp').map((file) => readFileSync(file, 'utf8'))
    const read = texts.filter((text) => {
      const root = usual(text)
      if (root !== undefined) expect(root).toEqual(strict(text))
      return root !== undefined
    })
    expect(read.length).toBeGreaterThan(texts.length / 2)
  })

  it.each([
    ['elements', '<r><a/><a/></r>', { maxElements: 2 }],
    ['depth', '<r><a><b/></a></r>', { maxDepth: 2 }],
    ['attributes', '<r a="1" b="2" xmlns:c="u"/>', { maxAttributes: 2 }],
    ['text', '<r>0123456789</r>', { maxText: 9 }],
  ])('leaves a document over a limit (%s) to the strict one, which says where', (_name, text, limit) => {
    expect(usual(text)).toBeDefined()
    expect(usual(text, { ...XML_LIMITS, ...limit })).toBeUndefined()
  })

  it.each([
    ['references', '&amp;'],
    ['line ends', 'x\r\n'],
    ['carriage returns', 'x\r'],
  ])('leaves a text of %s longer than a portion to the strict one', (_name, piece) => {
    const short = piece.repeat(Math.floor(SLICE / piece.length))
    expect(usual(`<r>${short}</r>`)).toEqual(strict(`<r>${short}</r>`))
    const long = `<r>${piece.repeat(Math.ceil((SLICE + 1) / piece.length))}</r>`
    expect(usual(long)).toBeUndefined()
    expect(atOnce(parseXml(Buffer.from(long))).root).toEqual(strict(long))
  })
})

describe('the work of the reader of usual documents', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** Reads a document; the units of each portion, and the characters of texts in which it replaced something. */
  function portionsOf(text: string): { root: Element | undefined; portions: number[]; replaced: number[] } {
    const replace = vi.spyOn(String.prototype, 'replace')
    const portions: number[] = []
    const replaced: number[] = []
    const work = usualWork(text, XML_LIMITS)
    for (;;) {
      const step = work.next()
      replaced.push(replace.mock.contexts.reduce<number>((sum, given) => sum + String(given).length, 0))
      replace.mockClear()
      if (step.done === true) return { root: step.value, portions, replaced }
      portions.push(step.value)
    }
  }

  const filled = (piece: string) => `<r>${piece.repeat(Math.floor(1_000_000 / piece.length))}</r>`

  it.each([
    ['elements', filled('<a>x</a>')],
    ['references', filled(`<a>${'&amp;'.repeat(50)}</a>`)],
    ['references in texts as long as may be', filled(`<a>${'&lt;'.repeat(SLICE / 4)}</a>`)],
    ['lines between elements', filled('<a>x</a>\r\n')],
    ['carriage returns between elements', filled('<a/>\r\r\n')],
    ['carriage returns in texts', filled(`<a>${'x\r'.repeat(50)}</a>`)],
    ['carriage returns in texts as long as may be', filled(`<a>${'x\r'.repeat(SLICE / 2)}</a>`)],
    ['carriage returns in tags', filled(`<a${'\r'.repeat(50)}/>`)],
  ])('of %s is charged, in portions of bounded size', (_name, text) => {
    const { root, portions, replaced } = portionsOf(text)
    expect(root).toBeDefined()
    expect(portions.reduce((sum, units) => sum + units, 0)).toBe(text.length)
    for (const units of portions) expect(units).toBeLessThanOrEqual(2 * SLICE + 16)
    replaced.forEach((length, i) => {
      expect(length).toBeLessThanOrEqual(portions[i] ?? 0)
    })
  })

  it.each([
    ['text', `<r>${'x'.repeat(1_000_000)}</r>`],
    ['value', `<r a="${'x'.repeat(1_000_000)}"/>`],
    ['name', `<${'x'.repeat(1_000_000)}/>`],
    ['blank in a tag', `<r${' '.repeat(1_000_000)}/>`],
    ['blank before the root', `${'\r\n'.repeat(500_000)}<r/>`],
    ['blank after the root', `<r/>${'\r\n'.repeat(500_000)}`],
  ])('of one long %s is charged as a whole, and replaces nothing', (_name, text) => {
    const { root, portions, replaced } = portionsOf(text)
    expect(root).toBeDefined()
    expect(portions.reduce((sum, units) => sum + units, 0)).toBe(text.length)
    expect(replaced.every((length) => length === 0)).toBe(true)
  })

  it.each([
    ['references', '&lt;'],
    ['bare ampersands', '&'],
    ['carriage returns', 'x\r'],
    ['line ends', '\r\n'],
  ])('ends before a text of 1 MiB of %s', (_name, piece) => {
    const { root, portions, replaced } = portionsOf(filled(piece))
    expect(root).toBeUndefined()
    expect(portions).toEqual([])
    expect(replaced).toEqual([0])
  })

  it.each([
    ['namespaces at every depth', `${'<a xmlns:p1="u" xmlns:p2="u">'.repeat(30)}${'<b xmlns:q="u"/>'.repeat(20_000)}`],
    ['a text without an end', `<r>${'x'.repeat(1_000_000)}`],
    ['elements that never end', '<a>'.repeat(300_000)],
    ['blanks in a tag', `<r${' '.repeat(1_000_000)}`],
    ['a value without an end', `<r a="${'x'.repeat(1_000_000)}`],
    ['a long name', `<${'x'.repeat(1_000_000)}`],
  ])('is no more than its length with %s', (_name, text) => {
    const { root, portions } = portionsOf(text)
    expect(root).toBeUndefined()
    expect(portions.reduce((sum, units) => sum + units, 0)).toBeLessThanOrEqual(text.length)
    for (const units of portions) expect(units).toBeLessThanOrEqual(SLICE + 64)
  })

  it('is charged for the whole of a body before it is decoded', () => {
    const bytes = Buffer.from(filled('<a>x</a>'))
    const work = parseXml(bytes)
    expect(work.next()).toEqual({ done: false, value: bytes.length })
  })
})
