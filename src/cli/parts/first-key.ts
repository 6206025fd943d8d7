import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, keptText, type Random } from '../../base/index.ts'
import { type ApiKeyStore, givenApiKey, newApiKey } from '../../security/index.ts'

/**
 * The first API key of an installation: its text when this start stored one that it made, and the file that has the
 * text while it is there.
 */
interface FirstKey {
  key: string | undefined
  file: string | undefined
}

const NAME = 'first-api-key'

/**
 * Stores the first API key where there is none: the one that is given, else a new one. The text of a new one is in a
 * file of the data folder (mode 0600) before the key is stored, so that no cut leaves a key without its text. AppError
 * `invalid` when the given text is no API key.
 */
export async function ensureFirstKey(deps: {
  dataDir: string
  firstApiKey?: string
  apiKeys: ApiKeyStore
  random: Random
  newId(): string
  clock: Clock
}): Promise<FirstKey> {
  const { dataDir, firstApiKey, apiKeys, random, newId, clock } = deps
  const path = join(dataDir, NAME)
  const kept = () => (existsSync(path) ? path : undefined)
  if ((await apiKeys.count()) > 0) return { key: undefined, file: kept() }
  const now = clock.now()
  const make = () => newApiKey(random, newId(), 'first key', 'write', now).text
  const text = firstApiKey ?? keptText(dataDir, NAME, make, random)
  await apiKeys.put(givenApiKey(text, 'first key', 'write', now).key)
  return { key: firstApiKey === undefined ? text : undefined, file: kept() }
}

/**
 * Says the first API key on a terminal and then removes its file. Anywhere else standard error may be kept as a log, so
 * only the file is named: at each start, until the file is removed.
 */
export function tellFirstKey(
  { firstKey, firstKeyFile }: { firstKey: string | undefined; firstKeyFile: string | undefined },
  isTerminal: boolean,
  say: (line: string) => void,
): void {
  if (firstKey !== undefined && isTerminal) {
    say(`\nFirst API key, shown once: ${firstKey}\n`)
    if (firstKeyFile !== undefined) rmSync(firstKeyFile, { force: true })
  } else if (firstKeyFile !== undefined)
    say(`The first API key is in ${firstKeyFile}; remove the file when you have the key.`)
}
