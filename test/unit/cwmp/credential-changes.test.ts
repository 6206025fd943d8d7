import { describe, expect, it } from 'vitest'
import { CredentialChanges } from '../../../src/cwmp/acs/login/credential-changes.ts'
import { type CwmpCredential, type DeviceId, deviceIdOf } from '../../../src/domain/index.ts'
import { createMemoryCredentials } from '../../support/memory-credentials.ts'

const ID = deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' })
const login = (text: string) => ({ username: 'cpe', password: text })

/** Changes over a store, with the credential that was read lately. */
function world() {
  const stored = new Map<DeviceId, CwmpCredential>()
  const store = createMemoryCredentials(stored)
  let reads = 0
  const cache = new Map<DeviceId, { credential: CwmpCredential | undefined }>()
  const credentials: typeof store = {
    ...store,
    get: (id) => {
      reads++
      return store.get(id)
    },
  }
  const changes = new CredentialChanges(credentials, {
    known: (id) => cache.get(id),
    remember: (credential) => void cache.set(credential.deviceId, { credential }),
  })
  return { stored, store, cache, changes, reads: () => reads }
}

describe('a change of a credential', () => {
  it('reads nothing where the credential was read lately and is still the stored one', async () => {
    const { cache, changes, stored, reads } = world()
    cache.set(ID, { credential: undefined })
    await changes.change(ID, () => ({ deviceId: ID, pending: login('a'), updatedAt: 1 }))
    await changes.change(ID, (known) => known && { ...known, current: login('a') })
    expect(stored.get(ID)).toEqual({ deviceId: ID, pending: login('a'), current: login('a'), updatedAt: 1 })
    expect(reads()).toBe(0)
  })

  it('is made of the stored one where another server has changed it', async () => {
    const { store, cache, changes, stored } = world()
    cache.set(ID, { credential: undefined })
    await store.put({ deviceId: ID, current: login('other'), updatedAt: 1 })
    const seen: (string | undefined)[] = []
    await changes.change(ID, (known) => {
      seen.push(known?.current?.password)
      return { ...known, deviceId: ID, pending: login('new'), updatedAt: 2 }
    })
    expect(seen).toEqual([undefined, 'other'])
    expect(stored.get(ID)).toEqual({ deviceId: ID, current: login('other'), pending: login('new'), updatedAt: 2 })
  })

  it('is refused by the stored one alone, not by one that was read before', async () => {
    const { store, cache, changes } = world()
    cache.set(ID, { credential: { deviceId: ID, updatedAt: 0 } })
    await store.put({ deviceId: ID, pending: login('a'), updatedAt: 1 })
    const confirmed = await changes.change(ID, (known) =>
      known?.pending === undefined ? undefined : { deviceId: ID, current: known.pending, updatedAt: 2 },
    )
    expect(confirmed?.current).toEqual(login('a'))
    expect(cache.get(ID)?.credential).toEqual(confirmed)
  })
})
