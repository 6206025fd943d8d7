import type { Clock, Log, Random, ServiceTime } from '../base/index.ts'
import type {
  ConflictStore,
  CredentialStore,
  DeviceStore,
  EndpointId,
  EventLog,
  GroupStore,
  InstanceStore,
  LinkSecrets,
  OperationStore,
  Operations,
  ParameterStore,
  PendingAgentStore,
  PlanStore,
  SupportedModelStore,
} from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'
import type { RenewLinkSecret } from '../operations/index.ts'
import type { Planner } from '../planner/index.ts'
import type { ApiKeyStore, AuditLog } from '../security/index.ts'
import type { Metrics } from './metrics.ts'

/** Everything the API serves from; the composition root fills it. */
export interface ApiDeps {
  host: string
  port: number
  /** Serves HTTPS alone. */
  tls?: { cert: string; key: string }
  /** Origins of pages that may call from a browser; default: none. */
  corsOrigins?: readonly string[]
  /** Shown in the OpenAPI document. */
  version: string
  devices: DeviceStore
  parameters: ParameterStore
  operations: Operations
  operationStore: OperationStore
  groups: Groups
  groupStore: GroupStore
  planner: Planner
  planStore: PlanStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  /** The text as an Endpoint ID that an Agent may have. AppError `invalid` when it is none, or that of the Controller. */
  asEndpointId(text: string): EndpointId
  credentials: CredentialStore
  linkSecrets: Pick<LinkSecrets, 'delete'>
  renewLinkSecret: RenewLinkSecret
  events: EventLog
  audit: AuditLog
  apiKeys: ApiKeyStore
  metrics: Metrics
  /** The live instances: with several, events are read a little late. */
  instances: InstanceStore
  /** Rejects with a reason while the server is not ready to serve. */
  ready(): Promise<void>
  newId(): string
  clock: Clock
  /** Members of plans keep their waits in it. */
  time: ServiceTime
  random: Random
  log: Log
}

/** What routes serve from beside that. */
export interface RouteDeps extends ApiDeps {
  /** A revoked key is refused from now on, not when it falls out of the cache. */
  forgetKey(id: string): void
}
