import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { loadModel } from '../../../../src/datamodel/index.ts'
import { rowSetProblems } from '../../../../src/domain/index.ts'
import { type DeviceFacts, expectedFacts, TREE_NAMES } from '../../../support/device-trees.ts'

const PAGE = readFileSync(join(resolve(import.meta.dirname, '../../../..'), 'docs/normalization.md'), 'utf8')

/** Columns of facts that a test device may show. */
const COLUMNS: [heading: string, has: (facts: DeviceFacts) => boolean][] = [
  ['RX and TX power', ({ optics }) => optics !== undefined],
  ['PPPoE user, state', ({ pppoe }) => pppoe.user !== ''],
  ['VLAN', ({ pppoe, bridgeVlans }) => pppoe.vlan !== undefined || bridgeVlans !== undefined],
  ['SSIDs per band', ({ ssids }) => Object.keys(ssids).length > 0],
  ['security', ({ security }) => security !== undefined],
  ['channel', ({ channels }) => channels !== undefined],
  ['hosts', ({ hosts }) => hosts.length > 0],
  ['stations', ({ stations }) => stations.length > 0],
  ['CPU', ({ cpuPercent }) => cpuPercent !== undefined],
  ['memory', ({ memory }) => memory !== undefined],
]

it('docs/normalization.md has the facts of every test device', () => {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rows = TREE_NAMES.map((name) => {
    const facts = expectedFacts(name)
    return line([`\`${name}\``, facts.family ?? 'none', ...COLUMNS.map(([, has]) => (has(facts) ? 'x' : ''))])
  })
  const headings = ['test device', 'family', ...COLUMNS.map(([heading]) => heading)]
  const table = [line(headings), line(headings.map(() => '---')), ...rows].join('\n')
  expect(PAGE.slice(PAGE.indexOf('| test device')).trim()).toBe(table)
})

it('docs/normalization.md shows a set of rows that can be used', () => {
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(PAGE) ?? []
  expect(rowSetProblems(JSON.parse(example), loadModel('tr181-cwmp'))).toEqual([])
})
