import { type OptionRow, variableOf } from './option-row.ts'
import { OPTIONS } from './options.ts'

/** The option table as the README shows it, in Markdown. */
export function printOptions(): string {
  const rows = (OPTIONS as readonly OptionRow[]).map((row) => {
    const type = row.choices === undefined ? row.type : row.choices.join(' \\| ')
    return `| \`${row.flag}\` | \`${variableOf(row)}\` | ${type} | ${row.default === undefined ? '' : `\`${row.default}\``} | ${row.sentence} |`
  })
  return ['| flag | variable | type | default | what it does |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}
