import type { Clock, Random, ServiceTime } from '../../base/index.ts'
import type { Confirmations } from '../../desk/index.ts'
import type {
  BridgeStore,
  ConflictStore,
  CredentialStore,
  DeviceStore,
  EndpointId,
  EventLog,
  GroupStore,
  InstanceStore,
  LinkSecrets,
  MappingCoverage,
  MappingRowStore,
  OperationPreview,
  OperationStore,
  Operations,
  ParameterStore,
  PendingAgentStore,
  PlanStore,
  SupportedModelStore,
} from '../../domain/index.ts'
import type { Groups } from '../../groups/index.ts'
import type { RowSets } from '../../normalization/index.ts'
import type { RenewLinkSecret } from '../../operations/index.ts'
import type { Authority, CertificateStore } from '../../pki/index.ts'
import type { Planner } from '../../planner/index.ts'
import type { ApiKeyStore, AuditLog } from '../../security/index.ts'

/** The parts that routes serve from. */
export interface RouteDeps {
  devices: DeviceStore
  parameters: ParameterStore
  operations: Operations & OperationPreview
  confirmations: Confirmations
  operationStore: OperationStore
  groups: Groups
  groupStore: GroupStore
  planner: Planner
  planStore: PlanStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
  supportedModels: SupportedModelStore
  mappingCoverage: Pick<MappingCoverage, 'list'>
  mappingRows: MappingRowStore
  rowSets: RowSets
  /**
   * Returns the text as an Endpoint ID that an Agent may have. AppError `invalid` when it is none, or that of the
   * Controller.
   */
  asEndpointId(text: string): EndpointId
  credentials: CredentialStore
  linkSecrets: Pick<LinkSecrets, 'delete'>
  renewLinkSecret: RenewLinkSecret
  events: EventLog
  audit: AuditLog
  apiKeys: ApiKeyStore
  bridges: BridgeStore
  certificates: CertificateStore
  authority: Authority
  /** Returns the Controller that Agents of bridges connect to. */
  controllerOfBridges(): BridgeController
  /** A revoked key is refused from now on, not when it leaves the cache. */
  forgetKey(id: string): void
  /** The live instances: with several, events are read a little late. */
  instances: InstanceStore
  newId(): string
  clock: Clock
  /** The waits of plan members are in it. */
  time: ServiceTime
  random: Random
}

/** The Controller that Agents of bridges connect to, and the PEM certificate that its links are trusted by. */
interface BridgeController {
  endpointId: string
  host: string
  port: number
  path: string
  tls: boolean
  certificate?: string
}
