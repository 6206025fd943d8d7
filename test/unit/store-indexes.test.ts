import { expect, it } from 'vitest'
import { SELECTOR_FIELDS } from '../../src/device/index.ts'
import { COLLECTIONS } from '../../src/store/collections.ts'

it('has an index for every field a selector may name, and for the order of versions', () => {
  const leading = new Set<string>(COLLECTIONS.devices.map(({ keys }) => Object.keys(keys)[0] ?? ''))
  for (const [name, { kind, field }] of Object.entries(SELECTOR_FIELDS)) {
    if (field === '_id') continue
    expect(leading, name).toContain(field)
    if (kind === 'version') expect(leading, name).toContain(`${field}Key`)
  }
})
