import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { dualStackBox, loadBoxModels } from '../../src/datamodel/index.ts'
import { createOperations, type OperationsRoom } from '../../src/operations/index.ts'
import type { Store } from '../../src/store/index.ts'
import { modelOf } from '../support/operations-world.ts'
import { testStore } from '../support/store.ts'

export const IDENTITY = { manufacturer: 'Acme', oui: '00256D', productClass: 'Home Box', serial: 'contract-1' }
export const ENDPOINT = 'os::00256D-contract%2D1'

/** The engine over a database of its own, with the real clock. */
export async function createEngine(uri: string): Promise<{ store: Store; operations: OperationsRoom }> {
  const store = await testStore(uri)
  const operations = createOperations({
    ...store,
    clock: systemClock,
    newId: createIdSource(systemClock, systemRandom),
    log: silentLog,
    instance: 'contract',
    model: modelOf,
    limits: { sweepMs: 50, restMs: 50, wakeRetryMs: [100, 200, 400, 800, 1600] },
  })
  await operations.start()
  return { store, operations }
}

/** The tree of one box that has both protocols. */
export function createTree() {
  const { manufacturer, oui, productClass, serial } = IDENTITY
  const facts = {
    manufacturer,
    oui,
    productClass,
    serial,
    modelName: 'H1',
    hardwareVersion: '1',
    softwareVersion: '1.0',
  }
  return dualStackBox(facts, ENDPOINT, loadBoxModels())
}
