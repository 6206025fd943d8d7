import { MEMBER_STATES } from '../domain/index.ts'

/** One group as the demo shows it. */
export interface GroupRow {
  name: string
  devices: number
  /** Devices whose owner is this protocol. */
  cwmp: number
  usp: number
  /** Migration states with counts; empty when no plan moves the group. */
  states: Record<string, number>
  /** Devices that ended per minute, lately. */
  ratePerMinute?: number
  failures: { reason: string; count: number }[]
  next?: string
}

/** The live table: a line per group, then its states with a bar, then its failures ranked. */
export function renderTable(rows: GroupRow[], width: number): string[] {
  const lines = [head()]
  for (const row of rows) {
    lines.push(line(row))
    const states = Object.entries(row.states)
      .filter(([, count]) => count > 0)
      .sort(([a], [b]) => rank(a) - rank(b))
    const total = states.reduce((sum, [, count]) => sum + count, 0)
    for (const [state, count] of states)
      lines.push(`    ${state.padEnd(14)}${String(count).padStart(5)}  ${bar(count, total, 30)}`)
    for (const failure of row.failures.slice(0, 4))
      lines.push(`    ${String(failure.count).padStart(4)} x ${failure.reason}`)
    if (row.next !== undefined) lines.push(...wrapped(`next: ${row.next}`, '    ', width))
  }
  return lines.map((text) => (text.length > width ? `${text.slice(0, width - 1)}…` : text))
}

/** Words in lines that fit; those after the first are indented further. */
function wrapped(text: string, indent: string, width: number): string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = `${indent}  `
    }
    line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

/** Returns the same as one line, for output that is not a terminal. */
export function renderLine(rows: GroupRow[]): string {
  return rows
    .map((row) => {
      const states = Object.entries(row.states)
        .filter(([, count]) => count > 0)
        .sort(([a], [b]) => rank(a) - rank(b))
        .map(([state, count]) => `${state} ${count}`)
      return `${row.name}: ${row.devices} devices, cwmp ${row.cwmp}, usp ${row.usp}${states.length > 0 ? ` [${states.join(', ')}]` : ''}`
    })
    .join('; ')
}

function head(): string {
  return `${'group'.padEnd(18)}${'devices'.padStart(8)}${'on CWMP'.padStart(9)}${'on USP'.padStart(8)}${'per min'.padStart(9)}`
}

function line(row: GroupRow): string {
  const rate = row.ratePerMinute === undefined ? '' : row.ratePerMinute.toFixed(1)
  return (
    row.name.padEnd(18) +
    [row.devices, row.cwmp, row.usp, rate].map((cell, i) => String(cell).padStart([8, 9, 8, 9][i] ?? 8)).join('')
  )
}

/** States in the order of the machine; others follow in the order met. */
function rank(state: string): number {
  const index = (MEMBER_STATES as readonly string[]).indexOf(state)
  return index < 0 ? MEMBER_STATES.length : index
}

function bar(count: number, total: number, width: number): string {
  const full = total === 0 ? 0 : Math.max(1, Math.round((count / total) * width))
  return '█'.repeat(full)
}
