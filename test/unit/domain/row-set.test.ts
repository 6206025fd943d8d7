import { describe, expect, it } from 'vitest'
import { loadModel, versionKey } from '../../../src/datamodel/index.ts'
import {
  deviceIdOf,
  fulfils,
  isInScope,
  type MappingRowSet,
  type MappingScope,
  newDevice,
  rowSetProblems,
  rowsFor,
  type ScopeFacts,
  scopeSelector,
} from '../../../src/domain/index.ts'

const ROW = { from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load', to: 'Device.DeviceInfo.ProcessStatus.CPUUsage' }
const set = (id: string, scope: MappingScope, more: Partial<MappingRowSet> = {}): MappingRowSet => ({
  id,
  name: id,
  reason: 'test',
  scope,
  rows: [ROW],
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  ...more,
})
const FACTS: ScopeFacts = {
  manufacturer: 'Northbridge',
  model: 'R-1',
  productClass: 'Gateway',
  softwareVersion: '1.10.2',
}

describe('the scope of mapping rows', () => {
  const SCOPES: [MappingScope, boolean][] = [
    [{}, true],
    [{ manufacturer: 'Northbridge', model: 'R-1', productClass: 'Gateway' }, true],
    [{ model: 'r-1' }, false],
    [{ model: 'R*' }, false],
    [{ productClass: 'Router' }, false],
    [{ firmware: { from: '1.9' } }, true],
    [{ firmware: { from: '1.10.2', before: '1.10.3' } }, true],
    [{ firmware: { before: '1.10.2' } }, false],
    [{ model: 'R-1', firmware: { from: '1.11' } }, false],
  ]

  it.each(SCOPES)('%j has a device: %s, as the query for its devices finds it', (scope, fits) => {
    expect(isInScope(scope, FACTS)).toBe(fits)
    const identity = { oui: '00256D', productClass: FACTS.productClass, serial: '1' }
    const device = {
      ...newDevice(deviceIdOf(identity), identity, 'cwmp', 1),
      ...FACTS,
      softwareVersionKey: versionKey(FACTS.softwareVersion ?? ''),
    }
    expect(fulfils(device, scopeSelector(scope))).toBe(fits)
  })

  it('with a range of firmware has no device without a version', () => {
    expect(isInScope({ firmware: { before: '2' } }, { model: 'R-1' })).toBe(false)
  })
})

describe('the rows of a device', () => {
  it('are those of all sets that it is in; none gives undefined', () => {
    const other = { from: ROW.from, to: 'Device.DeviceInfo.X_EXAMPLE_Load' }
    const sets = [set('a', {}), set('b', { model: 'R-2' }), set('c', { model: 'R-1' }, { rows: [other] })]
    expect(rowsFor(sets, FACTS)?.rows).toEqual([other, ROW])
    expect(rowsFor(sets, { model: 'R-2' })?.rows).toEqual([ROW])
    expect(rowsFor([set('b', { model: 'R-2' })], FACTS)).toBeUndefined()
  })

  it('come from the set whose scope says more, then from the newer one', () => {
    const ranked = (rank: number) => ({ rows: [{ ...ROW, rank }] })
    const ofAll = set('z', {}, { ...ranked(1), createdAt: 9 })
    const ofModel = set('b', { model: 'R-1' }, ranked(2))
    const newer = set('a', { productClass: 'Gateway' }, { ...ranked(3), createdAt: 2 })
    expect(rowsFor([ofAll, ofModel], FACTS)?.rows).toEqual(ranked(2).rows)
    expect(rowsFor([ofAll, ofModel, newer], FACTS)?.rows).toEqual(ranked(3).rows)
  })

  it('have a version that changes with the revision of each set, and with no other set', () => {
    const version = (sets: MappingRowSet[]) => rowsFor(sets, FACTS)?.version
    const one = set('a', {})
    expect(version([one, set('b', { model: 'R-9' })])).toBe(version([one]))
    expect(version([set('a', {}, { revision: 2 })])).not.toBe(version([one]))
  })
})

describe('a set of rows that somebody wrote', () => {
  const model = loadModel('tr181-cwmp')
  const GOOD = { name: 'load of R-1', reason: 'it has no process list', scope: { model: 'R-1' }, rows: [ROW] }
  const places = (value: unknown) => rowSetProblems(value, model).map(({ place, text }) => `${place} ${text}`)

  it('is good with a name, a reason, a scope and rows', () => {
    expect(places(GOOD)).toEqual([])
    expect(places({ ...GOOD, scope: { firmware: { from: '1.9', before: '1.10' } } })).toEqual([])
  })

  it.each<[string, unknown, RegExp]>([
    ['no object', [], /^ is no object/],
    ['no name', { ...GOOD, name: ' ' }, /^name is no text/],
    ['no reason', { ...GOOD, reason: undefined }, /^reason is no text/],
    ['a field with a slip', { ...GOOD, row: [] }, /^row is not known/],
    ['no rows', { ...GOOD, rows: [] }, /^rows is no list/],
    ['too many rows', { ...GOOD, rows: Array(201).fill(ROW) }, /^rows has more than 200/],
    ['a bad row', { ...GOOD, rows: [ROW, { ...ROW, to: 'Device.Nothing' }] }, /^rows\.1\.to is no parameter of TR-181/],
    ['a row twice', { ...GOOD, rows: [ROW, ROW] }, /^rows\.1\.from has the source and target of rows\.0/],
    ['no scope', { ...GOOD, scope: undefined }, /^scope is no object; \{\} means every device/],
    ['a scope with a slip', { ...GOOD, scope: { modell: 'R-1' } }, /^scope\.modell is not known/],
    ['a scope without text', { ...GOOD, scope: { model: 7 } }, /^scope\.model is no text/],
    ['a range without ends', { ...GOOD, scope: { firmware: {} } }, /^scope\.firmware has neither/],
    ['a range with a slip', { ...GOOD, scope: { firmware: { to: '2' } } }, /^scope\.firmware\.to is not known/],
    ['an empty range', { ...GOOD, scope: { firmware: { from: '1.10', before: '1.9' } } }, /^scope\.firmware\.before/],
  ])('is refused as %s, with the place', (_name, value, problem) => {
    expect(places(value).join('\n')).toMatch(problem)
  })
})
