import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldsIn, type MergeableUpdate, merge } from '../../../src/store/commit/merge.ts'

type Document = Record<string, unknown>

/** The document after an update, as the database makes it; throws where it refuses two fields of which one is within the other. */
function updated(document: Document, { $set = {}, $unset = {} }: MergeableUpdate): Document {
  const fields = [...Object.keys($set), ...Object.keys($unset)]
  for (const one of fields)
    if (fields.some((other) => other.startsWith(`${one}.`))) throw new Error(`${one} is set as a whole and in part`)
  if (new Set(fields).size < fields.length) throw new Error('a field is named twice')
  const changed = structuredClone(document)
  const at = (field: string, make: boolean) => {
    const parts = field.split('.')
    let place: Document | undefined = changed
    for (const part of parts.slice(0, -1)) {
      if (place[part] === undefined && make) place[part] = {}
      place = place[part] as Document | undefined
      if (place === undefined) return undefined
    }
    return { place, name: parts.at(-1) ?? '' }
  }
  for (const [field, value] of Object.entries($set)) {
    const found = at(field, true)
    if (found !== undefined) found.place[found.name] = structuredClone(value)
  }
  for (const field of Object.keys($unset)) {
    const found = at(field, false)
    if (found !== undefined) delete found.place[found.name]
  }
  return changed
}

const part = fc.tuple(fc.constantFrom('A', 'B'), fc.constantFrom('value', 'type', 'from'), fc.nat(3))
/** Updates of two leaves: each as a whole, or parts of it set or taken away. */
const update: fc.Arbitrary<MergeableUpdate> = fc
  .record({
    wholes: fc.uniqueArray(fc.constantFrom('A', 'B'), { maxLength: 2 }),
    value: fc.nat(3),
    sets: fc.array(part, { maxLength: 3 }),
    unsets: fc.array(part, { maxLength: 2 }),
  })
  .map(({ wholes, value, sets, unsets }) => {
    const $set: Record<string, unknown> = {}
    const $unset: Record<string, ''> = {}
    for (const leaf of wholes) $set[`leaves.${leaf}`] = { value, type: 't' }
    for (const [leaf, name, n] of sets) if (!wholes.includes(leaf)) $set[`leaves.${leaf}.${name}`] = n
    for (const [leaf, name] of unsets) {
      const field = `leaves.${leaf}.${name}`
      if (!wholes.includes(leaf) && $set[field] === undefined) $unset[field] = ''
    }
    return { $set, $unset }
  })

describe('updates of one document that are made one', () => {
  it('do what they would do in turn, with no field within another one', () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 6 }), (updates) => {
        const before = { leaves: { A: { value: 9, from: 9 }, B: { value: 9 } } }
        const one: MergeableUpdate = {}
        for (const next of updates) merge(one, structuredClone(next))
        expect(updated(before, one)).toEqual(
          updates.reduce((document, next) => updated(document, next), before as Document),
        )
      }),
    )
  })

  it('leave those they are made of as they are', () => {
    const first = { $set: { 'leaves.A': { value: 1, from: 1 } } }
    const one: MergeableUpdate = {}
    merge(one, first)
    merge(one, { $set: { 'leaves.A.value': 2 }, $unset: { 'leaves.A.from': '' } })
    expect(one).toEqual({ $set: { 'leaves.A': { value: 2 } } })
    expect(first).toEqual({ $set: { 'leaves.A': { value: 1, from: 1 } } })
  })

  it('add up what they add to fields', () => {
    const one: MergeableUpdate = {}
    merge(one, { $inc: { a: 1, b: 2 } })
    merge(one, { $inc: { a: 3 } })
    expect(one).toEqual({ $inc: { a: 4, b: 2 } })
  })

  it('are counted by all fields that are written', () => {
    expect(fieldsIn({ $set: { 'leaves.A': { value: 1, type: 't' }, b: 1 }, $unset: { c: '' } })).toBe(4)
  })
})
