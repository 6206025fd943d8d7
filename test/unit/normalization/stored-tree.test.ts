import { expect, it } from 'vitest'
import { deviceIdOf, newDevice } from '../../../src/domain/index.ts'
import { RecentTree } from '../../../src/normalization/tree/recent-trees.ts'
import { StoredTree } from '../../../src/normalization/tree/stored-tree.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const PATH = 'InternetGatewayDevice.DeviceInfo.ModelName'

it('keeps what was made of it until it changes, and nothing that was made before all was read', async () => {
  const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
  const deviceId = deviceIdOf(identity)
  const stores = createMemoryStores(createManualClock())
  await stores.devices.commit({ deviceId, create: newDevice(deviceId, identity, 'cwmp', 1) })
  const stored = { path: PATH, value: 'stored', type: 'string' as const, source: 'cwmp' as const, collectedAt: 1 }
  await stores.devices.commit({ deviceId, parameters: [stored] })
  const tree = new StoredTree(new RecentTree(deviceId, stores.parameters, 1))
  let made = 0
  const name = () =>
    tree.once('name', () => {
      made++
      return tree.value(PATH)
    })
  expect(await tree.whenRead(name)).toBe('stored')
  expect(made).toBe(2)
  expect(name()).toBe('stored')
  expect(made).toBe(2)
  tree.add([{ path: PATH, value: 'fresh' }])
  expect(name()).toBe('fresh')
})
