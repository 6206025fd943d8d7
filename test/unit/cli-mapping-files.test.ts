import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { MappingFiles } from '../../src/cli/parts/mapping-files.ts'

const ROW = { from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load', to: 'Device.DeviceInfo.ProcessStatus.CPUUsage' }
const set = (name: string, more: object = {}) => ({
  name,
  reason: 'test',
  scope: { model: 'R-1' },
  rows: [ROW],
  ...more,
})
const folder = mkdtempSync(join(tmpdir(), 'mapping-files-'))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const json = (name: string, value: unknown) => file(name, JSON.stringify(value))
const read = (option?: string) => new MappingFiles(option, silentLog)

describe('files of mapping rows', () => {
  it('have one set, a list of sets, or one on each line', () => {
    const one = json('one.json', set('one'))
    const list = json('list.json', [set('two'), set('three')])
    const lines = file('lines.ndjson', `${JSON.stringify(set('four'))}\n\n${JSON.stringify(set('five'))}\n`)
    const { sets } = read(`${one}, ${list},${lines}`)
    expect(sets.map(({ name }) => name).sort()).toEqual(['five', 'four', 'one', 'three', 'two'])
    expect(sets.find(({ name }) => name === 'one')).toMatchObject({ ...set('one'), file: one })
    expect(read().sets).toEqual([])
    expect(read().digest).toBe('')
  })

  it('keep the id of a set while its name stays, and change revision and digest with its content', () => {
    const path = json('a.json', set('a'))
    const files = read(path)
    const [before] = files.sets
    const { digest } = files
    json('a.json', set('a', { scope: {} }))
    expect(files.reload()).toBe(true)
    expect(files.sets[0]?.id).toBe(before?.id)
    expect(files.sets[0]?.revision).not.toBe(before?.revision)
    expect(files.digest).not.toBe(digest)
  })

  it('that cannot be used any more leave the sets as they were', () => {
    const files = read(json('b.json', set('b')))
    file('b.json', '{')
    expect(files.reload()).toBe(false)
    expect(files.sets.map(({ name }) => name)).toEqual(['b'])
  })

  it.each<[string, () => string, RegExp]>([
    ['a file that there is not', () => join(folder, 'absent.json'), /absent\.json cannot be read/],
    ['no JSON', () => file('c.json', '{'), /c\.json is no JSON/],
    ['a bad line', () => file('d.ndjson', `${JSON.stringify(set('d'))}\nx`), /d\.ndjson line 2 is no JSON/],
    [
      'a bad row',
      () => json('e.json', [set('e'), set('f', { rows: [ROW, { ...ROW, to: 'Device.Nothing' }] })]),
      /e\.json\n {2}set 1 rows\.1\.to: is no parameter of TR-181/,
    ],
    ['a name twice', () => json('g.json', [set('g'), set('g')]), /g\.json has a set g, as/],
  ])('refuse %s with its place', (_name, make, problem) => {
    expect(() => read(make())).toThrow(problem)
  })
})
