import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isVendors, MAPPINGS } from '../../../../src/bridge/mapping/index.ts'
import { checkValue, loadModel, readsEmpty } from '../../../../src/datamodel/index.ts'

const model = loadModel('tr181-usp')
const WORDS = [
  'true',
  'yes',
  'no',
  'never',
  'auto',
  '0',
  '-1',
  '4294967296',
  '18446744073709551616',
  '1w2d3h4m5s',
  '00:10:00',
  '866.6Mbps-80MHz/2S/SGI',
  '-55dBm@6Mbps',
  '-300',
  '-12.5dBm',
  '123,456',
  '192.168.88.1/24',
  '0.0.0.0/0',
  '2001:db8::1/64',
  '!10.0.0.0/8',
  '1-65535',
  '5180/ax/Ceee',
  '5ghz-a/n/ac',
  'wpa2-psk,wpa3-psk',
  'jan/32/2025',
  '2025-06-03',
  '25:61:61',
  '+02:00',
  '02:00:00:00:00:aa',
  'connected',
]
const text = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 1 },
  { arbitrary: fc.constantFrom(...WORDS), weight: 4 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 300 }), weight: 2 },
  { arbitrary: fc.integer().map(String), weight: 2 },
)

it('whatever a router says, a parameter has a value that TR-181 allows, or none', () => {
  const problems = new Map<string, string>()
  for (const mapping of MAPPINGS) {
    if (isVendors(mapping)) continue
    for (const [name, parameter] of Object.entries(mapping.parameters)) {
      const path = mapping.object + name
      const standard = model.parameter(path)
      if (standard === undefined || parameter.refers !== undefined) continue
      fc.assert(
        fc.property(
          fc.tuple(...parameter.from.map(() => text)),
          fc.integer({ min: 0, max: 4_000_000_000_000 }),
          (texts, now) => {
            const value = parameter.read(texts, { now })
            if (value === undefined || (value === '' && readsEmpty(standard))) return
            const problem = checkValue(standard, value)
            if (problem !== undefined) problems.set(path, `${JSON.stringify(value.slice(0, 40))} ${problem.text}`)
          },
        ),
        { numRuns: 150 },
      )
    }
  }
  expect([...problems].map(([path, problem]) => `${path}: ${problem}`)).toEqual([])
})
