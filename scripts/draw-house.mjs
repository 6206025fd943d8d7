import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'

// Draws docs/house.svg from the table of rooms in ARCHITECTURE.md: one line of rooms for each floor, the highest floor on top.
const WIDTH = 860
const LABEL = 70
const GAP = 10
const HEIGHT = 52
const PALE = '#eef2f7'
const DARK = '#1f2d3d'

/** Returns the rooms of each floor, the highest floor first. */
export function floorsOf(page) {
  const floors = new Map()
  for (const [, floor, rooms] of page.matchAll(/^\| (\d+) \| ((?:`[\w-]+\/`(?:, )?)+) \|/gm)) {
    const names = [...rooms.matchAll(/`([\w-]+)\/`/g)].map((match) => match[1])
    floors.set(Number(floor), [...(floors.get(Number(floor)) ?? []), ...names])
  }
  return [...floors].sort(([a], [b]) => b - a)
}

/** Returns the picture as SVG. */
export function houseSvg(floors) {
  const rows = floors.map(([floor, rooms], row) => {
    const y = row * (HEIGHT + GAP)
    const width = (WIDTH - LABEL - GAP * (rooms.length - 1)) / rooms.length
    const cells = rooms.map((room, i) => {
      const x = LABEL + i * (width + GAP)
      const frame = `<rect x="${x}" y="${y}" width="${width}" height="${HEIGHT}" rx="4" fill="${PALE}" stroke="${DARK}"/>`
      const at = `x="${x + width / 2}" y="${y + 32}" text-anchor="middle"`
      return `${frame}<text ${at} fill="${DARK}">${room}</text>`
    })
    return `<text x="0" y="${y + 32}" fill="${DARK}">floor ${floor}</text>${cells.join('')}`
  })
  const height = floors.length * (HEIGHT + GAP) - GAP
  const title = 'The rooms of the source by floor; imports go down'
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`
  const font = 'font-family="sans-serif" font-size="16"'
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} role="img"><title>${title}</title>`
  return `${[open, ...rows, '</svg>'].join('\n')}\n`
}

if (process.argv[1]?.endsWith('draw-house.mjs')) {
  const page = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
  writeFileSync(join(ROOT, 'docs', 'house.svg'), houseSvg(floorsOf(page)))
}
