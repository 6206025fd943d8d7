import { userInfo } from 'node:os'
import { createIdSource, defined, systemClock, systemRandom } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { type ApiKey, checkKeyName, createKey, revokeKey, type Scope } from '../security/index.ts'
import type { Store } from '../store/index.ts'
import { withStore } from './parts/machine-store.ts'

const PAGE = 500

/**
 * Makes an API key and prints its text, alone, on standard output. AppError `invalid` for a name that no key may have.
 */
export async function createApiKey(config: Config, asked: { name: string; scope: Scope }): Promise<void> {
  // Before a database is opened or started for it.
  checkKeyName(asked.name)
  await withStore(config, async (store) => {
    const { key, text } = await createKey(changes(store), asked, actor())
    console.error(`key ${key.id} (${key.scope}); its text is shown once:`)
    console.log(text)
  })
}

/** Prints all API keys, one per line, without their texts. */
export async function listApiKeys(config: Config): Promise<void> {
  await withStore(config, async ({ apiKeys }) => {
    let cursor: string | undefined
    do {
      const { items, next } = await apiKeys.list(defined({ limit: PAGE, cursor }))
      for (const key of items) console.log(describeKey(key))
      cursor = next
    } while (cursor !== undefined)
  })
}

/** Revokes an API key. A running server refuses it within ten seconds. */
export async function revokeApiKey(config: Config, id: string): Promise<void> {
  await withStore(config, async (store) => {
    await revokeKey(changes(store), id, actor())
    console.error(`key ${id} is revoked; a running server refuses it within ten seconds`)
  })
}

/** One key as a line: id, scope, since when, state, name. */
function describeKey({ id, scope, createdAt, revokedAt, name }: ApiKey): string {
  const state = revokedAt === undefined ? 'valid' : `revoked ${new Date(revokedAt).toISOString()}`
  return [id, scope.padEnd(5), new Date(createdAt).toISOString(), state, name].join('  ')
}

function changes({ apiKeys, audit }: Store) {
  return { apiKeys, audit, random: systemRandom, newId: createIdSource(systemClock, systemRandom), clock: systemClock }
}

function actor(): string {
  return `machine:${userInfo().username}`
}
