import { describe, expect, it } from 'vitest'
import { FactTree, type Reading } from '../../../../src/domain/facts/fact-tree.ts'
import { numberIn } from '../../../../src/domain/facts/readings.ts'

/** A tree that counts how often all its readings are walked over. */
function counted(paths: readonly string[]): { tree: FactTree; walks: () => number } {
  let walks = 0
  class Counted extends Map<string, Reading> {
    override keys() {
      walks++
      return super.keys()
    }
  }
  return { tree: new FactTree(new Counted(paths.map((path) => [path, { value: '1', at: 1 }]))), walks: () => walks }
}

describe('facts of a hostile device', () => {
  it('are looked for in a tree that is walked over once, however many tables are asked for', () => {
    const paths = Array.from({ length: 1000 }, (_, i) => `Device.IP.Interface.${i + 1}.IPv4Address.1.IPAddress`)
    const { tree, walks } = counted(paths)
    const rows = tree.rows('Device.IP.Interface.')
    expect(rows).toHaveLength(1000)
    for (const row of rows) expect(tree.rows(`${row}IPv4Address.`)).toEqual([`${row}IPv4Address.1.`])
    expect(tree.rows('Device.NAT.InterfaceSetting.')).toEqual([])
    expect(walks()).toBe(1)
  })

  it('follow so many references of one list at most', () => {
    const readings = new Map([['Device.A.LowerLayers', { value: 'Device.B.1,'.repeat(6000), at: 1 }]])
    expect(new FactTree(readings).references('Device.A.LowerLayers').length).toBeLessThan(100)
  })

  it.each([
    ['  42 ', 42],
    ['-16,6 dBm', -16.6],
    ['47°C', 47],
    ['9%', 9],
    ['', undefined],
    ['unknown', undefined],
    [`1${' '.repeat(65_000)}!`, undefined],
    ['1'.repeat(65_000), undefined],
  ])('are numbers in short texts alone: %#', (text, number) => {
    expect(numberIn(text)).toBe(number)
  })
})
