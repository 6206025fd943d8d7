import { expect, it } from 'vitest'
import { MENUS } from '../../../src/bridge/menus/table.ts'
import { forbidden } from '../../support/hostile-words.ts'
import { guardLetsOnlyListedWordsPass } from '../../support/sanitation.ts'

it('of 10,000 random commands only those reach the router whose words are all on the list', async () => {
  expect(await guardLetsOnlyListedWordsPass(10_000)).toBeGreaterThan(100)
})

it('has no menu, command or property that may never be named, and no secret that is read', () => {
  for (const [menu, { properties, verbs }] of Object.entries(MENUS)) {
    const readable = Object.entries(properties).filter(([, { secret }]) => !secret)
    const writable = Object.entries(properties).filter(([, property]) => property.writable)
    for (const verb of Object.keys(verbs)) expect(forbidden({ path: `${menu}/${verb}` })).toBeUndefined()
    const names = Object.fromEntries(writable.map(([name]) => [name, 'x']))
    expect(forbidden({ path: '/x', args: names, proplist: readable.map(([name]) => name) })).toBeUndefined()
  }
})

it('has only kinds that accept their own form unchanged', () => {
  const texts = [
    'yes',
    'true',
    '1.2.3.4',
    '1.2.3.4/24',
    '10m',
    '600',
    '80',
    '1-2',
    'AA:bb:cc:dd:ee:ff',
    'a',
    '*1',
    '2412',
  ]
  for (const { properties } of Object.values(MENUS))
    for (const { kind } of Object.values(properties))
      for (const text of texts) {
        const sent = kind.serialise(text)
        if (sent !== undefined) expect(kind.serialise(sent)).toBe(sent)
      }
})
