import { expect, it } from 'vitest'
import { SELECTOR_FIELDS } from '../../src/domain/index.ts'
import {
  COLLECTIONS,
  type CollectionRow,
  type IndexRow,
  inWriteOrder,
  rankOf,
} from '../../src/store/mongo/collections.ts'

/**
 * The first fields of the indexes that large databases have: the embedded one looks at every device where it has none.
 */
const LEADING: string[] = (COLLECTIONS.devices.indexes as readonly IndexRow[])
  .filter(({ on }) => on !== 'secantusdb')
  .map(({ keys }) => Object.keys(keys)[0] ?? '')

it('has an index for every field a selector may name, and for the order of versions', () => {
  const leading = new Set(LEADING)
  for (const [name, { kind, field }] of Object.entries(SELECTOR_FIELDS)) {
    if (field === '_id') continue
    expect(leading, name).toContain(field)
    if (kind === 'version') expect(leading, name).toContain(`${field}Key`)
  }
})

it('lets a selector name every field that has an index and that a record shows', () => {
  const named = new Set<string>(Object.values(SELECTOR_FIELDS).map(({ field }) => field))
  // Of the inside: the order of versions, and which instance holds a link.
  const inside = ['softwareVersionKey', 'usp.instance']
  expect(LEADING.filter((field) => !named.has(field) && !inside.includes(field))).toEqual([])
})

it('gives each collection a rank of its own, and does not compile without one', () => {
  const ranks = Object.values(COLLECTIONS).map(({ rank }) => rank)
  expect(new Set(ranks).size).toBe(ranks.length)
  // @ts-expect-error a collection without a rank would never be written
  const row: CollectionRow = { indexes: [] }
  expect(row.rank).toBeUndefined()
})

it('writes what decides before what reports it, and refuses other collections', () => {
  expect(inWriteOrder(['events', 'parameters', 'operations', 'devices', 'planMembers'])).toEqual([
    'planMembers',
    'devices',
    'operations',
    'parameters',
    'events',
  ])
  // @ts-expect-error no such collection
  expect(() => rankOf('profiles')).toThrow('there is no collection profiles')
  // @ts-expect-error a name that every object has
  expect(() => rankOf('toString')).toThrow('there is no collection toString')
})
