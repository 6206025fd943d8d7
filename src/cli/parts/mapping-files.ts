import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { AppError, errorText, type Log } from '../../base/index.ts'
import { loadModel } from '../../datamodel/index.ts'
import { MAX_ROW_SETS, type MappingRowSet, type RowSetInput, rowSetProblems } from '../../domain/index.ts'

const MAX_BYTES = 16 * 1024 * 1024
/** Problems of one file that are named. */
const MAX_NAMED = 20
const MAX_FILES = 100
/** Digits of a digest that a number holds exactly. */
const REVISION_DIGITS = 12

/** The sets of mapping rows in the files of `--mapping-rows`. */
export class MappingFiles {
  readonly #files: readonly string[]
  readonly #log: Log
  #sets: readonly MappingRowSet[]

  /** AppError `invalid` names each file that cannot be used, with the set, row and field. `option`: files with commas between. */
  constructor(option: string | undefined, log: Log) {
    this.#files = (option ?? '').split(',').flatMap((file) => (file.trim() === '' ? [] : [file.trim()]))
    this.#log = log
    this.#sets = readSets(this.#files)
  }

  /** In the order of their ids. */
  get sets(): readonly MappingRowSet[] {
    return this.#sets
  }

  /** Changes whenever a set does; '' without sets. */
  get digest(): string {
    return this.#sets.length === 0 ? '' : digestOf(this.#sets.map(({ id, revision }) => [id, revision]))
  }

  /** Reads the files again; false when one cannot be used: that is logged, and the sets before stay. */
  reload(): boolean {
    try {
      this.#sets = readSets(this.#files)
      return true
    } catch (error) {
      this.#log.error({ reason: errorText(error) }, 'mapping rows of files cannot be used; those before stay')
      return false
    }
  }
}

function readSets(files: readonly string[]): MappingRowSet[] {
  if (files.length > MAX_FILES) throw new AppError('invalid', `--mapping-rows names more than ${MAX_FILES} files`)
  const sets = files.flatMap(readFile)
  if (sets.length > MAX_ROW_SETS)
    throw new AppError('invalid', `--mapping-rows: the files have more than ${MAX_ROW_SETS} sets`)
  const byName = new Map<string, MappingRowSet>()
  for (const set of sets) {
    const other = byName.get(set.name)
    if (other !== undefined)
      throw new AppError('invalid', `--mapping-rows: ${set.file} has a set ${set.name}, as ${other.file} has`)
    byName.set(set.name, set)
  }
  return sets.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** A file has a list of sets in JSON, or one set on each line (`.ndjson`). */
function readFile(file: string): MappingRowSet[] {
  const problems: string[] = []
  const sets: MappingRowSet[] = []
  const { text, changedAt } = textOf(file)
  for (const { place, value } of valuesOf(file, text)) {
    const own = rowSetProblems(value, loadModel('tr181-cwmp'))
    for (const problem of own) problems.push(`${[place, problem.place].filter(Boolean).join(' ')}: ${problem.text}`)
    // Without problems it has the fields of a set.
    if (own.length === 0) sets.push(setOf(file, value as RowSetInput, changedAt))
  }
  if (problems.length === 0) return sets
  const more = problems.length > MAX_NAMED ? `\n  and ${problems.length - MAX_NAMED} more` : ''
  throw new AppError('invalid', `--mapping-rows: ${file}\n  ${problems.slice(0, MAX_NAMED).join('\n  ')}${more}`)
}

function textOf(file: string): { text: string; changedAt: number } {
  try {
    const { size, mtimeMs } = statSync(file)
    if (size > MAX_BYTES) throw new AppError('invalid', `it has more than ${MAX_BYTES / 1024 / 1024} MB`)
    return { text: readFileSync(file, 'utf8'), changedAt: Math.floor(mtimeMs) }
  } catch (cause) {
    throw new AppError('invalid', `--mapping-rows: ${file} cannot be read: ${errorText(cause)}`, { cause })
  }
}

function valuesOf(file: string, text: string): { place: string; value: unknown }[] {
  if (file.endsWith('.ndjson'))
    return text.split('\n').flatMap((line, n) => {
      const place = `line ${n + 1}`
      return line.trim() === '' ? [] : [{ place, value: parse(line, `${file} ${place}`) }]
    })
  const whole = parse(text, file)
  return Array.isArray(whole) ? whole.map((value, n) => ({ place: `set ${n}`, value })) : [{ place: '', value: whole }]
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid', `--mapping-rows: ${where} is no JSON: ${errorText(cause)}`, { cause })
  }
}

/** Ids and revisions follow from the content, so that they are the same on every instance. */
function setOf(file: string, { name, reason, scope, rows }: RowSetInput, at: number): MappingRowSet {
  const revision = Number.parseInt(digestOf([name, reason, scope, rows]).slice(0, REVISION_DIGITS), 16)
  const id = `file-${digestOf(name).slice(0, 16)}`
  return { id, name, reason, scope, rows, revision, createdAt: at, updatedAt: at, file }
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
