import { createMetrics } from '../../api/index.ts'
import {
  type Clock,
  createIdSource,
  type createLifecycle,
  defined,
  keptSecret,
  type Lifecycle,
  type Log,
  type Random,
  StoredServiceTime,
  systemClock,
  systemRandom,
} from '../../base/index.ts'
import { createEventBus } from '../../bus/index.ts'
import type { Config } from '../../config/index.ts'
import { RowSets } from '../../normalization/index.ts'
import { Authority } from '../../pki/index.ts'
import { createSecretBox } from '../../security/index.ts'
import { EmbeddedDatabase, openStore } from '../../store/index.ts'
import { Certificates } from '../parts/certificates.ts'
import { engineCache } from '../parts/engine-cache.ts'
import { insecureSettings } from '../parts/insecure.ts'
import { MappingFiles } from '../parts/mapping-files.ts'
import { byServiceTime, heartbeat } from './instance.ts'

/** Starts one more part; it stops before those that were started earlier. */
type StartPart = ReturnType<typeof createLifecycle>['start']

export interface StartOptions {
  log: Log
  /** Is called with what takes time. */
  say?: ((line: string) => void) | undefined
  /** The options of the command line. */
  flags?: Readonly<Record<string, string | undefined>> | undefined
}

/** The parts that all others stand on. */
export type Foundation = Awaited<ReturnType<typeof startFoundation>>

/** Starts the database and opens the store; returns them with what every part shares. */
export async function startFoundation(config: Config, { log, say, flags }: StartOptions, start: StartPart) {
  const clock: Clock = systemClock
  const random: Random = systemRandom
  const instance = createIdSource(clock, random)()
  const certificates = new Certificates(config, { clock, random, log })
  const mappingFiles = new MappingFiles(config.mappingRows, log)
  for (const { option, line } of insecureSettings(config, flags)) log.warn({ option, risk: line }, 'insecure setting')
  const database = config.mongodbUri === undefined ? await startDatabase(config, log, start, say) : undefined
  const secretBox = createSecretBox(keptSecret(config.dataDir, 'server.key', config.secretKey, random), random)
  const opened = await openStore({
    uri: config.mongodbUri ?? database?.uri ?? '',
    databaseName: config.databaseName,
    instance,
    retention: { eventDays: config.eventRetentionDays, operationDays: config.operationRetentionDays },
    secretBox,
    clock,
    random,
    log,
  })
  await start({ name: 'store', start: async () => undefined, stop: () => opened.close() })
  const nextId = createIdSource(clock, random, opened.newestId)
  // An embedded database has one server: instances from before have ended.
  if (database !== undefined) await opened.instances.alone(instance)
  const time = new StoredServiceTime(opened.instances, clock, () => performance.now())
  await time.start()
  const store = { ...opened, instances: byServiceTime(opened.instances, time) }
  await start(heartbeat(store, instance, time, log))

  const authority = new Authority({ store: store.certificates, clock, random })
  // Without TLS no client shows a certificate: the keys of the authority are made when a bridge needs one.
  const ownAuthority = certificates.usp && (await authority.certificate())
  const enrolmentSecret = keptSecret(config.dataDir, 'enrolment.secret', config.enrolmentSecret, random)
  const metrics = createMetrics()
  const defects = metrics.counter('isthmus_defects_total', 'Errors that were not handled', ['kind'])
  const bus = createEventBus(log)
  store.events.onAppended((events) => bus.publish(events))
  const rowSets = new RowSets(store.mappingRows, log.child({ part: 'normalization' }), mappingFiles.sets)
  await start(rowSets)
  await store.mappingRows.noteFiles(mappingFiles.digest)
  return {
    config,
    clock,
    random,
    log,
    instance,
    start,
    certificates,
    mappingFiles,
    database,
    store,
    secretBox,
    nextId,
    time,
    authority,
    ownAuthority,
    enrolmentSecret,
    metrics,
    defects,
    bus,
    rowSets,
  }
}

async function startDatabase(
  config: Config,
  log: Log,
  start: (part: Lifecycle) => Promise<void>,
  say?: (line: string) => void,
): Promise<EmbeddedDatabase> {
  const database = new EmbeddedDatabase({
    dataDir: config.dataDir,
    log,
    cacheDir: engineCache(config.dataDir),
    ...defined({ say }),
  })
  await start(database)
  return database
}
