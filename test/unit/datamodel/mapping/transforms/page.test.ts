import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { TRANSFORMS } from '../../../../../src/datamodel/index.ts'

const PAGE = readFileSync(join(resolve(import.meta.dirname, '../../../../..'), 'docs/transforms.md'), 'utf8')

it('docs/transforms.md has every transform once, with its way', () => {
  const rows = PAGE.split('\n').flatMap((line) => {
    const [, names = '', way = ''] = line.split('|').map((cell) => cell.trim())
    return [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => `${name} ${way}`)
  })
  const own = [...TRANSFORMS].map(([name, { write }]) => `${name} ${write === undefined ? 'read' : 'both'}`)
  expect(rows.sort()).toEqual(own.sort())
})
