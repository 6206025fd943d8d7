import fc from 'fast-check'
import { MENUS } from '../../src/bridge/menus/table.ts'
import type { RouterCommand } from '../../src/routeros/index.ts'
import { hostileText } from './hostile-words.ts'

const PATHS = Object.entries(MENUS).flatMap(([menu, { verbs }]) => Object.keys(verbs).map((verb) => `${menu}/${verb}`))
const NAMES = [...new Set(Object.values(MENUS).flatMap(({ properties }) => Object.keys(properties)))]
const EVIL_PATHS = [
  '/system/script/run',
  '/user/add',
  '/execute',
  '/ip/address/export',
  '/tool/e-mail/send',
  'print',
  '/',
]

const path = fc.oneof(
  { arbitrary: fc.constantFrom(...PATHS), weight: 8 },
  { arbitrary: fc.constantFrom(...EVIL_PATHS), weight: 1 },
  { arbitrary: hostileText, weight: 1 },
)
const name = fc.oneof(
  { arbitrary: fc.constantFrom(...NAMES), weight: 6 },
  { arbitrary: fc.constantFrom('.id', 'numbers', 'place-before', 'value-name', 'once', 'on-up', 'source'), weight: 2 },
  { arbitrary: hostileText, weight: 1 },
)
const value = fc.oneof(hostileText, fc.constantFrom('*1', 'ether1', 'yes', '192.168.88.2', '192.168.88.1/24', '10m'))
const word = fc.oneof(
  name,
  hostileText,
  fc.tuple(name, value).map(([left, right]) => `${left}=${right}`),
)

/** Commands with words of the table of menus, and with others. */
export const randomCommand: fc.Arbitrary<RouterCommand> = fc.record(
  {
    path,
    args: fc.dictionary(name, value, { maxKeys: 4 }),
    proplist: fc.array(name, { maxLength: 5 }),
    query: fc.array(word, { maxLength: 4 }),
    writes: fc.boolean(),
  },
  { requiredKeys: ['path'] },
)
