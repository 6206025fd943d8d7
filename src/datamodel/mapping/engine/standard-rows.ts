import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../base/index.ts'
import type { Aggregation, Condition, MappingRow } from '../row.ts'

type StoredCondition = [param: string, test: 'in' | 'notIn', values: string[]]

interface Options {
  x?: string
  w?: 1
  c?: 1
  if?: StoredCondition
  wif?: StoredCondition
  r?: number
  a?: Aggregation
  wa?: 1
  s?: number
}

interface StandardFile {
  from: string
  to: string
  rows: ([from: string] | [from: string, to: string] | [from: string, to: string, options: Options])[]
}

let standard: readonly MappingRow[] | undefined

/** Returns the rows of the standard mapping, InternetGatewayDevice:1.14 to Device:2.19 (data/README.md); read once. */
export function standardRows(): readonly MappingRow[] {
  if (standard !== undefined) return standard
  const path = join(packageRoot(import.meta.url), 'src/datamodel/data/tr098-mapping.json')
  const file = JSON.parse(readFileSync(path, 'utf8')) as StandardFile
  standard = file.rows.map(([from, to = from, options = {}]) => {
    const row: MappingRow = { from: file.from + from, to: file.to + to }
    if (options.x !== undefined) row.transform = options.x
    if (options.w === 1) row.writable = true
    if (options.c === 1) row.copy = true
    if (options.if !== undefined) row.when = condition(file.from, options.if)
    if (options.wif !== undefined) row.writeWhen = condition(file.from, options.wif)
    if (options.r !== undefined) row.rank = options.r
    if (options.a !== undefined) row.agg = options.a
    if (options.wa === 1) row.writeAlso = true
    if (options.s !== undefined) row.slot = options.s
    return row
  })
  return standard
}

function condition(root: string, [param, test, values]: StoredCondition): Condition {
  return test === 'in' ? { param: root + param, in: values } : { param: root + param, notIn: values }
}
