import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Random, randomToken } from '../base/index.ts'

/** A secret of this installation: given, or made at first start and kept in the data folder, readable by its owner alone. */
export function keptSecret(dataDir: string, name: string, given: string | undefined, random: Random): string {
  if (given !== undefined && given !== '') return given
  const file = join(dataDir, name)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  mkdirSync(dataDir, { recursive: true })
  const secret = randomToken(random, 24)
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(file, 0o600)
  return secret
}
