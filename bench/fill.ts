import { createLog, systemClock, systemRandom } from '../src/base/index.ts'
import type { DeviceChange } from '../src/domain/index.ts'
import { createSecretBox } from '../src/security/index.ts'
import { openStore, type Store } from '../src/store/index.ts'
import type { World } from './world.ts'

const BATCH = 1000

/** The database of a world, opened beside its server. */
export function openBeside(world: World): Promise<Store> {
  return openStore({
    uri: world.databaseUri,
    databaseName: world.databaseName,
    instance: 'bench-fill',
    retention: { eventDays: 14, operationDays: 30 },
    secretBox: createSecretBox('bench', systemRandom),
    clock: systemClock,
    random: systemRandom,
    log: createLog({ level: 'warn' }),
  })
}

/** Writes so many devices straight to the store, each as `change` makes it of its number. */
export async function fill(store: Store, devices: number, change: (n: number) => DeviceChange[]): Promise<void> {
  for (let i = 0; i < devices; i += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, devices - i) }, (_, j) => i + j)
    await Promise.all(
      numbers.map(async (n) => {
        for (const one of change(n)) await store.devices.commit(one)
      }),
    )
    if (i % 20_000 === 0) console.log(`  filling: ${i} of ${devices} devices`)
  }
}
