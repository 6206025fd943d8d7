import { isReached, limitText, type Reach, valueText } from './reach.ts'

const ROW = 44
const TOP = 64
const LEFT = 16
const BAR = 380
const WIDTH = 680
/** Place of the limit on every bar; a value over twice the limit ends at the edge. */
const LIMIT_AT = BAR / 2
const COLOURS = { reached: '#2f855a', missed: '#c05621', unknown: '#a0aec0' }

/**
 * One bar per figure, each on a scale of its own with its limit in the middle: a picture that needs nothing but a
 * browser.
 */
export function drawReach(reaches: Reach[], caption: string): string {
  const height = TOP + reaches.length * ROW + 12
  const rows = reaches.map((reach, i) => row(reach, TOP + i * ROW)).join('\n')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" role="img">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="${LEFT}" y="24" font-size="16" font-weight="bold" fill="#1a202c">Measured, and what was to be reached</text>
<text x="${LEFT}" y="44" fill="#4a5568">${escaped(caption)}</text>
${rows}
</svg>
`
}

function row(reach: Reach, y: number): string {
  const reached = isReached(reach)
  const colour = reached === undefined ? COLOURS.unknown : reached ? COLOURS.reached : COLOURS.missed
  const share = reach.value === undefined ? 0 : Math.min(reach.value / reach.limit, 2)
  const side = reach.better === 'less' ? 'end' : 'start'
  const hatch = side === 'end' ? LEFT : LEFT + LIMIT_AT
  return `<text x="${LEFT}" y="${y + 12}" fill="#1a202c">${escaped(reach.name)}</text>
<rect x="${LEFT}" y="${y + 18}" width="${BAR}" height="14" fill="#edf2f7"/>
<rect x="${hatch}" y="${y + 18}" width="${LIMIT_AT}" height="14" fill="#c6f6d5"/>
<rect x="${LEFT}" y="${y + 20}" width="${(share * LIMIT_AT).toFixed(1)}" height="10" fill="${colour}"/>
<line x1="${LEFT + LIMIT_AT}" y1="${y + 15}" x2="${LEFT + LIMIT_AT}" y2="${y + 35}" stroke="#1a202c"/>
<text x="${LEFT + BAR + 12}" y="${y + 30}" fill="#1a202c"><tspan font-weight="bold">${escaped(valueText(reach))}</tspan> (${escaped(limitText(reach))})</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
