import { inject } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import {
  type ConflictStore,
  type Device,
  type DeviceId,
  type DeviceStore,
  deviceIdOf,
  type EventLog,
  type FleetStore,
  type GroupStore,
  type LinkSecrets,
  newDevice,
  type OperationStore,
  type ParameterStore,
  type PendingAgentStore,
  type SupportedModelStore,
} from '../../src/domain/index.ts'
import { createMemoryLinkSecrets } from './memory-link-secrets.ts'
import { createMemoryStores } from './memory-stores.ts'
import { testStore } from './store.ts'

/** The ports that both kinds of stores implement. */
export interface BothStores {
  devices: DeviceStore
  parameters: ParameterStore
  groups: GroupStore
  operations: OperationStore
  conflicts: ConflictStore
  events: EventLog
  fleet: FleetStore
  linkSecrets: LinkSecrets
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  close(): Promise<void>
}

/** The store of the server, and the one that stands for it in tests: what a port promises holds for both. */
export const BOTH_STORES: [string, () => Promise<BothStores>][] = [
  [
    'in memory',
    async () => ({
      ...createMemoryStores(systemClock),
      linkSecrets: createMemoryLinkSecrets(),
      close: async () => undefined,
    }),
  ],
  ['in the database', () => testStore(inject('mongodbUri'))],
]

/** Creates a CWMP device with this serial number; returns its id. */
export async function createDevice(
  { devices }: Pick<BothStores, 'devices'>,
  serial: string,
  more: Partial<Device> = {},
): Promise<DeviceId> {
  const identity = { oui: '0C96BF', productClass: 'Gateway', serial }
  const device = { ...newDevice(deviceIdOf(identity), identity, 'cwmp', 1), ...more }
  await devices.commit({ deviceId: device.id, create: device })
  return device.id
}
