import { inject } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import {
  type ConflictStore,
  type CredentialStore,
  type Device,
  type DeviceId,
  type DeviceStore,
  deviceIdOf,
  type EventLog,
  type FleetStore,
  type GroupStore,
  type InstanceMapStore,
  type InstanceStore,
  type LinkSecrets,
  type MappingCoverage,
  type MappingRowStore,
  newDevice,
  type OperationStore,
  type ParameterStore,
  type PendingAgentStore,
  type SupportedModelStore,
} from '../../src/domain/index.ts'
import type { ApiKeyStore, AuditLog } from '../../src/security/index.ts'
import { createMemoryApiKeys } from './memory-api-keys.ts'
import { createMemoryCredentials } from './memory-credentials.ts'
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
  mappingRows: MappingRowStore
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  mappingCoverage: MappingCoverage
  credentials: CredentialStore
  apiKeys: ApiKeyStore
  audit: AuditLog
  instanceMaps: InstanceMapStore
  instances: InstanceStore
  close(): Promise<void>
}

/** The name of the instance that both kinds of stores belong to. */
export const OWN_INSTANCE = 'test'

/** The store of the server, and the one that stands for it in tests: what a port promises holds for both. */
export const BOTH_STORES: [string, () => Promise<BothStores>][] = [
  [
    'in memory',
    async () => ({
      ...createMemoryStores(systemClock, OWN_INSTANCE),
      linkSecrets: createMemoryLinkSecrets(),
      credentials: createMemoryCredentials(),
      apiKeys: createMemoryApiKeys(),
      close: async () => undefined,
    }),
  ],
  ['in the database', () => testStore(inject('mongodbUri'), { instance: OWN_INSTANCE })],
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
