import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Random, randomToken } from './random.ts'

/**
 * Returns a secret of this installation: the given one, or one that is made at the first start and kept in the data
 * folder, readable by its owner alone. It is written completely before it is used: data that it sealed is lost without
 * it. Processes that start together get the same one.
 */
export function keptSecret(dataDir: string, name: string, given: string | undefined, random: Random): string {
  if (given !== undefined && given !== '') return given
  return keptText(dataDir, name, () => randomToken(random, 24), random)
}

/** As `keptSecret`, with a text that is made by `make`. */
export function keptText(dataDir: string, name: string, make: () => string, random: Random): string {
  const file = join(dataDir, name)
  const kept = read(file)
  if (kept !== '') return kept
  mkdirSync(dataDir, { recursive: true })
  const made = `${file}.${randomToken(random, 6)}`
  try {
    writeDurably(made, `${make()}\n`)
    // An empty file was left by a version that wrote it in place and was killed: nothing was sealed under it.
    if (existsSync(file) && read(file) === '') rmSync(file)
    publish(made, file)
  } finally {
    rmSync(made, { force: true })
  }
  syncFolder(dataDir)
  return read(file)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function writeDurably(file: string, text: string): void {
  const handle = openSync(file, 'wx', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Gives the file its name unless another was first. */
function publish(made: string, file: string): void {
  try {
    linkSync(made, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    // A file system without links.
    renameSync(made, file)
  }
}

/** The name is durable too; where folders cannot be opened (Windows) the file system sees to it. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
