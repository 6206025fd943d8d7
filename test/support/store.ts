import { type Clock, createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { createSecretBox, type SecretBox } from '../../src/security/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'

const nextName = createIdSource(systemClock, systemRandom)

/** A store on a database of its own; `close` drops it. */
export async function testStore(
  uri: string,
  options: {
    databaseName?: string
    instance?: string
    clock?: Clock
    patienceMs?: number
    secretBox?: SecretBox
    treeLimits?: { perDevice: number; perObject: number }
  } = {},
): Promise<Store & { databaseName: string }> {
  const databaseName = options.databaseName ?? `test_${nextName()}`
  const store = await openStore({
    uri,
    databaseName,
    instance: options.instance ?? 'test',
    retention: { eventDays: 14, operationDays: 30 },
    secretBox: options.secretBox ?? createSecretBox('test', systemRandom),
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log: silentLog,
    ...(options.treeLimits === undefined ? {} : { treeLimits: options.treeLimits }),
    ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
  })
  return {
    ...store,
    databaseName,
    close: async () => {
      await store.db.dropDatabase()
      await store.close()
    },
  }
}
