import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { engineOf } from './command.ts'
import { livingProcess } from './process.ts'

const NAME = 'engine.uri'

/** Writes where the engine of this folder is reached, for its owner alone. */
export function keepAddress(folder: string, uri: string): void {
  writeFileSync(join(folder, NAME), `${uri}\n`, { mode: 0o600 })
}

/** Removes what `keepAddress` wrote. */
export function dropAddress(folder: string): void {
  rmSync(join(folder, NAME), { force: true })
}

/** Returns true when an embedded database was made in a data folder. */
export function hasDatabase(dataDir: string): boolean {
  return engineOf(join(dataDir, 'database')) !== undefined
}

/** The address of the embedded database that a living server runs over a data folder; undefined when none does. */
export function runningAddress(dataDir: string): string | undefined {
  const folder = join(dataDir, 'database')
  const text = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : '')
  if (livingProcess(text('isthmus.lock')) === undefined || livingProcess(text('engine.pid')) === undefined)
    return undefined
  return text(NAME) || undefined
}
