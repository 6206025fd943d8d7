import { AppError, type Clock, type Random } from '../base/index.ts'
import { type ApiKey, type ApiKeyStore, checkKeyName, newApiKey, type Scope } from './api-key.ts'
import { type AuditLog, audited } from './audit.ts'

/** The parts that changes of API keys need. */
interface KeyChanges {
  apiKeys: ApiKeyStore
  audit: AuditLog
  random: Random
  newId(): string
  clock: Clock
}

/**
 * Stores a new API key and resolves with it and with its text, which is kept nowhere. The change is audited. AppError
 * `invalid` for a name that no key may have.
 */
export async function createKey(
  deps: KeyChanges,
  asked: { name: string; scope: Scope },
  actor: string,
): Promise<{ key: ApiKey; text: string }> {
  checkKeyName(asked.name)
  const at = deps.clock.now()
  const made = newApiKey(deps.random, deps.newId(), asked.name, asked.scope, at)
  const entry = { at, actor, action: 'apiKey.create', target: made.key.id, after: { ...asked } }
  await audited(deps.audit, entry, () => deps.apiKeys.put(made.key))
  return made
}

/**
 * Revokes an API key; repeating it changes nothing. The change is audited. AppError `notFound` for an id that no key
 * has, `conflict` for the last key that may write.
 */
export async function revokeKey(deps: Omit<KeyChanges, 'random' | 'newId'>, id: string, actor: string): Promise<void> {
  const key = await deps.apiKeys.get(id)
  if (key === undefined)
    throw new AppError(
      'notFound',
      `there is no API key ${id}; GET /api-keys, or isthmus api-key list, shows those that exist`,
    )
  if (key.revokedAt !== undefined) return
  if (key.scope === 'write' && !(await deps.apiKeys.hasOtherWriter(key.id)))
    throw new AppError('conflict', `API key ${key.id} is the last key that may write: create another one first`)
  const at = deps.clock.now()
  await audited(deps.audit, { at, actor, action: 'apiKey.revoke', target: key.id }, () =>
    deps.apiKeys.put({ ...key, revokedAt: at }),
  )
}
