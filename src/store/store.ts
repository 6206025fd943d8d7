import { type Clock, createIdSource, type Log, type Random, timeOfId } from '../base/index.ts'
import type {
  BridgeStore,
  ChangeCompletion,
  ConflictStore,
  CredentialStore,
  DeviceChange,
  DeviceQuery,
  DeviceStore,
  EventLog,
  FeedEvent,
  FleetStore,
  GroupStore,
  InstanceMapStore,
  InstanceStore,
  LinkSecrets,
  MappingCoverage,
  MappingRowStore,
  OperationStore,
  ParameterStore,
  PendingAgentStore,
  PlanStore,
  SupportedModelStore,
} from '../domain/index.ts'
import type { CertificateStore } from '../pki/index.ts'
import type { ApiKeyStore, AuditLog, SecretBox } from '../security/index.ts'
import { ChangeWriter } from './commit/changes.ts'
import { CompletedChanges } from './commit/completed-changes.ts'
import { DerivedFields } from './commit/derived-fields.ts'
import { createGroupCommit } from './commit/group-commit.ts'
import { TreeBounds, type TreeLimits } from './commit/tree-bounds.ts'
import { WritingSessions } from './commit/writing-sessions.ts'
import type { CollectionName } from './mongo/collections.ts'
import { databaseOf, onCommands, openConnection } from './mongo/connection.ts'
import { RETRY_MS, translated } from './mongo/failure.ts'
import type { Connection, Db, Document_ } from './mongo/mongoose.ts'
import { newestById } from './reads/newest.ts'
import type { Explained } from './reads/paging.ts'
import { ApiKeyRepository } from './repositories/api-key-repository.ts'
import { auditKey } from './repositories/audit-key.ts'
import { AuditRepository } from './repositories/audit-repository.ts'
import { BridgeRepository } from './repositories/bridge-repository.ts'
import { CertificateRepository } from './repositories/certificate-repository.ts'
import { ConflictRepository } from './repositories/conflict-repository.ts'
import { CredentialRepository } from './repositories/credential-repository.ts'
import { DeviceRepository } from './repositories/device-repository.ts'
import { EventRepository } from './repositories/event-repository.ts'
import { FleetRepository } from './repositories/fleet-repository.ts'
import { GroupRepository } from './repositories/group-repository.ts'
import { InstanceMapRepository } from './repositories/instance-map-repository.ts'
import { InstanceRepository } from './repositories/instance-repository.ts'
import { LinkSecretRepository } from './repositories/link-secret-repository.ts'
import { MappingCoverageRepository } from './repositories/mapping-coverage-repository.ts'
import { MappingRowRepository } from './repositories/mapping-row-repository.ts'
import { OperationRepository } from './repositories/operation-repository.ts'
import { ParameterRepository } from './repositories/parameter-repository.ts'
import { PendingAgentRepository } from './repositories/pending-agent-repository.ts'
import { PlanRepository } from './repositories/plan-repository.ts'
import { SupportedModelRepository } from './repositories/supported-model-repository.ts'
import { checkIndexes, engineOf } from './set-up/indexes.ts'
import { checkSecretKey } from './set-up/key-check.ts'
import { migrate } from './set-up/migrate.ts'
import { type Census, takeCensus } from './upkeep/census.ts'
import { Readiness } from './upkeep/readiness.ts'
import { deleteExpired, type Retention } from './upkeep/retention.ts'

interface StoreOptions {
  uri: string
  databaseName: string
  /** This server instance, for locks. */
  instance: string
  retention: Retention
  secretBox: SecretBox
  clock: Clock
  random: Random
  log: Log
  /** Milliseconds for which the database may be away before requests that need it are refused; default 20 s. */
  patienceMs?: number
  /** Parameters that are kept of a device and of one object; a default for each. */
  treeLimits?: TreeLimits
}

/** The device records, and for benchmarks the way in which the database answers a list of them. */
interface ExplainedDevices extends DeviceStore {
  explain(query: DeviceQuery): Promise<Explained>
}

/** All repositories over one connection, each by its port. */
export interface Store {
  readonly devices: ExplainedDevices
  readonly fleet: FleetStore
  readonly parameters: ParameterStore
  readonly operations: OperationStore
  readonly groups: GroupStore
  readonly plans: PlanStore
  readonly conflicts: ConflictStore
  readonly events: EventLog
  readonly credentials: CredentialStore
  readonly linkSecrets: LinkSecrets
  readonly mappingRows: MappingRowStore
  readonly supportedModels: SupportedModelStore
  readonly mappingCoverage: MappingCoverage
  readonly pendingAgents: PendingAgentStore
  readonly instanceMaps: InstanceMapStore
  readonly bridges: BridgeStore
  readonly certificates: CertificateStore
  readonly instances: InstanceStore
  readonly audit: AuditLog
  readonly apiKeys: ApiKeyStore
  /** The newest id of an event or operation when the store was opened; '' in an empty one. */
  readonly newestId: string
  /** The native database, for jobs; no call to its collections waits without end. */
  readonly db: Db
  /** Commands sent to the database so far, by name: the round trips that benchmarks count. */
  readonly commands: ReadonlyMap<string, number>
  /**
   * Deletes what was older than its retention a day of service time ago, and still is; for the recurring job. Resolves
   * with the number of deleted documents.
   */
  deleteExpired(serviceMs: number): Promise<number>
  /** Counts everything, in one pass over the devices. */
  census(): Promise<Census>
  /** From now on changes of devices are completed by this before they are written. */
  completeChanges(by: ChangeCompletion): void
  /** Write sets that wait for their flush. */
  waitingWrites(): number
  /**
   * Rejects with AppError `unavailable` when the database does not write and read within two seconds; asks it at most
   * once a second.
   */
  ready(): Promise<void>
  close(): Promise<void>
}

/** Clocks of several servers differ; by more than this, one was set back. */
const CLOCK_STEP_MS = 60_000

/** Connects, migrates, checks indexes, and returns the repositories. */
export async function openStore(options: StoreOptions): Promise<Store> {
  await setUp(options)
  const connection = await openConnection(options.uri, options.databaseName, 'work', options.patienceMs)
  try {
    return await build(connection, options)
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Prepares the database over a connection of its own, because it may take long. */
async function setUp({ uri, databaseName, instance, secretBox, clock, log, patienceMs }: StoreOptions): Promise<void> {
  const connection = await openConnection(uri, databaseName, 'setUp', patienceMs)
  try {
    const db = databaseOf(connection)
    await migrate(db, { instance, clock, log })
    await checkIndexes(db, log)
    await checkSecretKey(db, secretBox)
  } finally {
    await connection.close()
  }
}

async function build(connection: Connection, options: StoreOptions): Promise<Store> {
  const { clock, log } = options
  const db = databaseOf(connection)
  const commands = countCommands(connection)
  const hello = await db.admin().command({ hello: 1 })
  const sessions = new WritingSessions(connection, options.instance)
  const commit = createGroupCommit(connection, {
    transactions: hello.setName !== undefined || hello.msg === 'isdbgrid',
    sessions,
    retryMs: options.patienceMs ?? RETRY_MS,
    random: options.random,
    log,
  })
  const listeners = new Set<(events: FeedEvent[]) => void>()
  const newestId = await newest(connection, clock.now())
  if (timeOfId(newestId) > clock.now() + CLOCK_STEP_MS)
    log.warn({ newestId }, 'the clock is behind the newest stored id; new ids continue from that id')
  const changeListeners = new Set<(change: DeviceChange) => void>()
  const writer = new ChangeWriter(
    createIdSource(clock, options.random, newestId),
    (events) => notify(listeners, events, log),
    (change) => notify(changeListeners, change, log),
  )
  const now = () => clock.now()
  const bounds = new TreeBounds(connection, now, options.treeLimits)
  const changes = new CompletedChanges(new DerivedFields(connection, now), bounds)
  const reads = (await engineOf(db)) === 'secantusdb' ? 'windows' : 'pages'
  const audit = new AuditRepository(connection, await auditKey(db, options.secretBox, log))
  const readiness = new Readiness(connection.collection<Document_>('settings'), options.instance, clock)
  return {
    devices: translated(new DeviceRepository(connection, commit, writer, { changes, now, wide: reads === 'windows' })),
    fleet: translated(new FleetRepository(connection, changeListeners)),
    parameters: translated(new ParameterRepository(connection)),
    operations: translated(
      new OperationRepository(connection, commit, writer, { box: options.secretBox, changes, now }),
    ),
    groups: translated(new GroupRepository(connection)),
    plans: translated(new PlanRepository(connection, commit, writer, now, reads)),
    conflicts: translated(new ConflictRepository(connection, commit, writer, now)),
    events: translated(new EventRepository(connection, commit, writer, listeners, now)),
    credentials: translated(new CredentialRepository(connection, commit, options.secretBox, options.random)),
    linkSecrets: translated(new LinkSecretRepository(connection, commit, options.secretBox, options.random, now)),
    mappingCoverage: translated(new MappingCoverageRepository(connection)),
    mappingRows: translated(new MappingRowRepository(connection, commit, writer)),
    supportedModels: translated(new SupportedModelRepository(connection, commit, writer)),
    pendingAgents: translated(new PendingAgentRepository(connection, commit, writer)),
    instanceMaps: translated(new InstanceMapRepository(connection, commit)),
    bridges: translated(new BridgeRepository(connection, commit, writer)),
    certificates: translated(new CertificateRepository(connection, commit, options.secretBox)),
    instances: translated(new InstanceRepository(connection, sessions)),
    audit: translated(audit),
    apiKeys: translated(new ApiKeyRepository(connection)),
    newestId,
    db,
    commands,
    deleteExpired: (serviceMs) => deleteExpired(connection, options.retention, { wallMs: clock.now(), serviceMs }),
    census: () => takeCensus(connection, clock.now()),
    completeChanges: (by) => changes.completeBy(by),
    waitingWrites: () => commit.waiting,
    ready: () => readiness.check(),
    close: () => closeAll(connection, [commit, audit]),
  }
}

/** Writes what waits, and then closes the connection. */
async function closeAll(connection: Connection, writers: { drain(): Promise<void> }[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.drain()))
  await connection.close()
}

/** Returns the newest id that events and operations have: those of this process sort behind it. */
async function newest(connection: Connection, now: number): Promise<string> {
  const last = async (name: CollectionName) =>
    (await newestById(connection.collection<Document_>(name), 1, now))[0]?._id ?? ''
  return (await Promise.all([last('events'), last('operations')])).sort().at(-1) ?? ''
}

function notify<T>(listeners: Set<(value: T) => void>, value: T, log: Log): void {
  for (const listener of listeners) {
    try {
      listener(value)
    } catch (err) {
      log.error({ err }, 'a listener of stored events or changes failed')
    }
  }
}

function countCommands(connection: Connection): Map<string, number> {
  const commands = new Map<string, number>()
  onCommands(connection, (name) => commands.set(name, (commands.get(name) ?? 0) + 1))
  return commands
}
