import { expect, it } from 'vitest'
import { createRowSet, deleteRowSet, listRowSets, readRowSet, replaceRowSet } from '../../../src/desk/index.ts'
import { MAX_ROW_SETS, type MappingRowSet, type Principal } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const set = (id: string, more: Partial<MappingRowSet> = {}): MappingRowSet => ({
  id,
  name: id,
  reason: 'test',
  scope: {},
  rows: [{ from: 'InternetGatewayDevice.DeviceInfo.X_A_B', to: 'Device.DeviceInfo.X_A_B' }],
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  ...more,
})
const by: Principal = { kind: 'apiKey', id: 'x', roles: ['writer'], groups: [] }

async function world(stored: number, inFiles: number) {
  const clock = createManualClock()
  const stores = createMemoryStores(clock)
  for (let n = 0; n < stored; n++)
    await stores.mappingRows.put(set(`s${n}`), { type: 'mappingRows.changed', at: 1, data: {} })
  const files = Array.from({ length: inFiles }, (_, n) => set(`file-${n}`, { file: 'rows.json' }))
  return { ...stores, clock, rowSets: { files }, newId: () => 'new' }
}

it.each([
  [0, 0],
  [2, 0],
  [0, 3],
  [2, 2],
  [3, 5],
])('lists %i sets of the database and %i of files page by page, each once', async (stored, inFiles) => {
  const deps = await world(stored, inFiles)
  const all = [...Array.from({ length: stored }, (_, n) => `s${n}`), ...deps.rowSets.files.map(({ id }) => id)]
  for (let limit = 1; limit <= all.length + 1; limit++) {
    const found: string[] = []
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await listRowSets(deps, limit, cursor)
      expect(page.items.length).toBeLessThanOrEqual(limit)
      found.push(...page.items.map(({ id }) => id))
      cursor = page.next
    }
    expect(found).toEqual(all)
  }
})

it('shows a set of a file, and refuses to change it', async () => {
  const deps = await world(0, 1)
  const { name, reason, scope, rows } = await readRowSet(deps, 'file-0')
  const input = { name, reason, scope, rows }
  const refusal = { code: 'conflict', message: expect.stringContaining('rows.json') }
  await expect(replaceRowSet(deps, 'file-0', { input, revision: 1 }, by)).rejects.toMatchObject(refusal)
  await expect(deleteRowSet(deps, 'file-0', by)).rejects.toMatchObject(refusal)
})

it('adds a set while there are fewer than the most, and does not list them for that', async () => {
  const deps = await world(0, 0)
  let count = MAX_ROW_SETS
  const mappingRows = {
    ...deps.mappingRows,
    count: async () => count,
    list: () => Promise.reject(new Error('the sets are listed')),
  }
  const { name, reason, scope, rows } = set('a')
  const create = () => createRowSet({ ...deps, mappingRows }, { name, reason, scope, rows }, by)
  await expect(create()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('join some') })
  count--
  expect(await create()).toMatchObject({ id: 'new', name })
})
