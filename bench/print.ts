/** Returns a measured figure with its unit, or `-` where this machine does not report it. */
export function figure(value: number | undefined, unit: string, digits = 2): string {
  return value === undefined || Number.isNaN(value) ? '-' : `${value.toFixed(digits)} ${unit}`
}

/** Returns the multiple of the floor. */
export function ratio(value: number | undefined, floor: number | undefined): string {
  return value === undefined || floor === undefined || floor === 0 ? '-' : `${(value / floor).toFixed(1)} x`
}

/** The middle one of several runs. */
export function median(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b)
  return known[known.length >> 1]
}

/** Lines of a row: what was measured, and each figure beside what it is compared with. */
export function printRow(title: string, rows: [string, string, string?][]): void {
  console.log(`\n${title}`)
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value, beside] of rows)
    console.log(`  ${name.padEnd(width)}  ${value.padStart(14)}${beside === undefined ? '' : `   ${beside}`}`)
}
