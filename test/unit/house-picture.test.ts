import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { floorsOf, houseSvg } from '../../scripts/draw-house.mjs'
import { FLOORS } from '../support/floors.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const page = readFileSync(resolve(ROOT, 'ARCHITECTURE.md'), 'utf8')

it('the table of rooms in ARCHITECTURE.md has every room on its floor', () => {
  const rows = floorsOf(page).flatMap(([floor, rooms]) => rooms.map((room) => [room, floor] as const))
  expect(Object.fromEntries(rows)).toEqual(FLOORS)
})

it('docs/house.svg is drawn from that table (node scripts/draw-house.mjs)', () => {
  expect(readFileSync(resolve(ROOT, 'docs/house.svg'), 'utf8')).toBe(houseSvg(floorsOf(page)))
})
