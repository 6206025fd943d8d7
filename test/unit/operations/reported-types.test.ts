import { describe, expect, it } from 'vitest'
import type { DeviceId, Operation, OperationRequest, ParameterStore, PathOutcome } from '../../../src/domain/index.ts'
import { ReportedTypes } from '../../../src/operations/reported-types.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const TABLE = 'Device.X.Row.'
const ADD: OperationRequest = { verb: 'add', object: TABLE, values: { On: 'true' } }
const asked = (request: OperationRequest): Operation => ({
  id: 'o1',
  deviceId: '00256D-Box-1' as DeviceId,
  request,
  state: 'queued',
  actor: { kind: 'planner', id: 'p1' },
  createdAt: 0,
  expiresAt: 1,
  attempts: 0,
})
const shown: PathOutcome[] = [{ path: `${TABLE}1.On`, value: '1', type: 'boolean' }]

function world() {
  const clock = createManualClock()
  let lists = 0
  const list: ParameterStore['list'] = async () => {
    lists++
    return { items: [] }
  }
  const types = new ReportedTypes({ ...createMemoryStores(clock).parameters, list }, clock)
  const typeOfNew = async () => (await types.of(asked(ADD)))?.(`${TABLE}7.On`)
  return { clock, types, typeOfNew, lists: () => lists }
}

describe('types that a CPE reported', () => {
  it('are those of a read of the whole table a moment ago, without a look into the record', async () => {
    const { clock, types, typeOfNew, lists } = world()
    types.note(asked({ verb: 'get', paths: ['Device.X.', 'Device.Y'] }), { outcome: 'done', results: shown })
    expect(await typeOfNew()).toBe('boolean')
    expect(lists()).toBe(0)
    clock.advance(60_000)
    expect(await typeOfNew()).toBeUndefined()
    expect(lists()).toBe(1)
  })

  const failed = { path: `${TABLE}2.`, error: { code: '9002', text: 'no', retryable: false } }
  it.each<[string, OperationRequest, PathOutcome[]]>([
    ['another object', { verb: 'get', paths: ['Device.Z.'] }, shown],
    ['a part of the table', { verb: 'get', paths: [`${TABLE}1.`] }, shown],
    ['the first levels of it', { verb: 'get', paths: ['Device.X.'], maxDepth: 1 }, shown],
    ['it with a part that failed', { verb: 'get', paths: ['Device.X.'] }, [...shown, failed]],
  ])('are looked up in the record after a read of %s', async (_, request, results) => {
    const { types, typeOfNew, lists } = world()
    types.note(asked(request), { outcome: 'done', results })
    expect(await typeOfNew()).toBeUndefined()
    expect(lists()).toBe(1)
  })
})
