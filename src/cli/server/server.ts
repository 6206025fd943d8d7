import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Api, createMetrics } from '../../api/index.ts'
import {
  createIdSource,
  createLifecycle,
  createLog,
  defined,
  type Lifecycle,
  type Log,
  packageRoot,
  StoredServiceTime,
  steadyClock,
  systemClock,
  systemRandom,
} from '../../base/index.ts'
import { createEventBus, FeedFollower } from '../../bus/index.ts'
import type { Config } from '../../config/index.ts'
import { Acs } from '../../cwmp/index.ts'
import { loadModel } from '../../datamodel/index.ts'
import { type FeedEvent, refreshRules } from '../../domain/index.ts'
import { Groups } from '../../groups/index.ts'
import { createJobQueue } from '../../jobs/index.ts'
import { Normalization, RowSets } from '../../normalization/index.ts'
import { createRenewLinkSecret, OperationsEngine } from '../../operations/index.ts'
import { defaultPlanSettings, Planner, ReadinessKeeper } from '../../planner/index.ts'
import { createSecretBox } from '../../security/index.ts'
import { EmbeddedDatabase, openStore } from '../../store/index.ts'
import { Controller, HEEDED_EVENTS } from '../../usp/index.ts'
import { Certificates } from '../parts/certificates.ts'
import { engineCache } from '../parts/engine-cache.ts'
import { ensureFirstKey } from '../parts/first-key.ts'
import { insecureSettings } from '../parts/insecure.ts'
import { listenerLimits } from '../parts/listener-limits.ts'
import { MappingFiles } from '../parts/mapping-files.ts'
import { NewDevices } from '../parts/new-devices.ts'
import { keptSecret } from '../parts/secrets.ts'
import { inStartWords } from '../parts/start-error.ts'
import { createCensus } from './census.ts'
import { aliveInstances, byServiceTime, heartbeat, tidyAfterDead } from './instance.ts'
import { createMtps } from './mtps.ts'
import { installationMetrics, operationsMetrics, roomMetrics, southboundMetrics } from './server-metrics.ts'

/** A running server. */
export interface RunningServer {
  readonly apiPort: number
  /** Address of the API from this machine: scheme, host and port. */
  readonly apiUrl: string
  /** 0 where plain CWMP is off. */
  readonly cwmpPort: number
  /** 0 without a certificate. */
  readonly cwmpsPort: number
  readonly uspPort: number
  /** The embedded database's process; undefined with MONGODB_URI. */
  readonly databasePid: number | undefined
  /** The first API key, when this start made it. */
  readonly firstKey: string | undefined
  /** The file of the data folder that holds the first API key, while it is there. */
  readonly firstKeyFile: string | undefined
  readonly enrolmentSecret: string
  readonly endpointId: string
  /** Logs and counts an error that no part handled. */
  onDefect(kind: string, error: unknown): void
  /** Reads the files of all certificates again; new connections get them. */
  reloadCertificates(): void
  /** Reads the files of mapping rows again; what cannot be used is logged, and the rows before stay. */
  reloadMappingRows(): Promise<void>
  /** Ends what is under way, from the outside in, and then the database. Every part waits for a bounded time only. */
  stop(): Promise<void>
}

/** For jobs that go through all members, or delete very much after a long pause. */
const LONG_JOB_MS = 3_600_000
/** For the sweep over all devices, which pauses between its batches. */
const SWEEP_JOB_MS = 43_200_000

/**
 * Puts the house together and starts it, floor by floor. `say` is called with what takes time; `flags` are the options
 * of the command line.
 */
export async function startServer(
  config: Config,
  options: { log?: Log; say?(line: string): void; flags?: Readonly<Record<string, string | undefined>> } = {},
): Promise<RunningServer> {
  const clock = systemClock
  const random = systemRandom
  const log = options.log ?? createLog({ level: config.logLevel })
  const instance = createIdSource(clock, random)()
  const lifecycle = createLifecycle(log)
  try {
    const certificates = new Certificates(config, { clock, random, log })
    const mappingFiles = new MappingFiles(config.mappingRows, log)
    for (const { option, line } of insecureSettings(config, options.flags))
      log.warn({ option, risk: line }, 'insecure setting')
    const database =
      config.mongodbUri === undefined ? await startDatabase(config, log, lifecycle.start, options.say) : undefined
    const opened = await openStore({
      uri: config.mongodbUri ?? database?.uri ?? '',
      databaseName: config.databaseName,
      instance,
      retention: { eventDays: config.eventRetentionDays, operationDays: config.operationRetentionDays },
      secretBox: createSecretBox(keptSecret(config.dataDir, 'server.key', config.secretKey, random), random),
      clock,
      random,
      log,
    })
    await lifecycle.start({ name: 'store', start: async () => undefined, stop: () => opened.close() })
    const nextId = createIdSource(clock, random, opened.newestId)
    // An embedded database has one server: instances from before have ended.
    if (database !== undefined) await opened.instances.alone(instance)
    const time = new StoredServiceTime(opened.instances, clock, () => performance.now())
    await time.start()
    const store = { ...opened, instances: byServiceTime(opened.instances, time) }
    await lifecycle.start(heartbeat(store, instance, time, log))

    const enrolmentSecret = keptSecret(config.dataDir, 'enrolment.secret', config.enrolmentSecret, random)
    const metrics = createMetrics()
    const defects = metrics.counter('isthmus_defects_total', 'Errors that were not handled', ['kind'])
    const bus = createEventBus(log)
    store.events.onAppended((events) => bus.publish(events))
    const rowSets = new RowSets(store.mappingRows, log.child({ part: 'normalization' }), mappingFiles.sets)
    await lifecycle.start(rowSets)
    await store.mappingRows.noteFiles(mappingFiles.digest)
    const normalization = new Normalization({
      devices: store.devices,
      parameters: store.parameters,
      instanceMaps: store.instanceMaps,
      mappingCoverage: store.mappingCoverage,
      mappingRows: store.mappingRows,
      rowSets,
      clock,
      log: log.child({ part: 'normalization' }),
    })
    store.completeChanges(normalization.changes)
    const southbound = southboundMetrics(metrics)
    const operations = new OperationsEngine({
      devices: store.devices,
      parameters: store.parameters,
      operations: store.operations,
      instances: store.instances,
      audit: store.audit,
      clock,
      newId: nextId,
      log,
      instance,
      model: loadModel,
      metrics: operationsMetrics(metrics),
      factRules: refreshRules(config.factRefresh),
      // A reset takes the CWMP credential away, over whichever protocol it is sent.
      releaseCredential: async (deviceId) => {
        await acs.release(deviceId)
        await store.linkSecrets.release(deviceId)
      },
    })
    const limits = listenerLimits(config)
    if (limits.tooFewFiles !== undefined)
      log.warn(limits.tooFewFiles, 'the limit of open files allows fewer connections than sessions and links: raise it')
    const newDevices = new NewDevices({
      limits: { perHour: config.maxNewDevicesPerHour, total: config.maxDevices },
      devices: store.devices,
      clock: steadyClock,
      log,
    })
    const mayRegister = () => newDevices.mayRegister()
    const acs: Acs = new Acs({
      ...southbound.cwmp,
      ...limits.cwmp,
      host: config.host,
      port: config.cwmpPort,
      plain: config.plainCwmp,
      ...defined({
        tls: certificates.cwmp && { ...certificates.cwmp, port: config.cwmpsPort },
        enrolmentUsername: config.enrolmentUsername,
      }),
      policy: config.enrolment,
      enrolmentSecret,
      reEnrolment: config.reEnrolment,
      allowBasicOverHttp: config.allowBasicOverHttp,
      informIntervalS: config.informIntervalS,
      discovery: config.discovery,
      mayRegister,
      devices: store.devices,
      parameters: store.parameters,
      coverage: store.mappingCoverage,
      credentials: store.credentials,
      upward: normalization.over(operations),
      clock,
      steadyClock,
      random,
      log: log.child({ part: 'cwmp' }),
    })
    const mtps = createMtps(config, {
      ...limits.usp,
      ...defined({ tls: certificates.usp }),
      clock,
      log: log.child({ part: 'usp' }),
    })
    const controller = new Controller({
      ...southbound.usp,
      mtps: mtps.all,
      endpointId: config.endpointId,
      admission: config.agentAdmission,
      periodicNotifIntervalS: config.periodicNotifIntervalS,
      instance,
      mayRegister,
      devices: store.devices,
      conflicts: store.conflicts,
      pendingAgents: store.pendingAgents,
      linkSecrets: store.linkSecrets,
      supportedModels: store.supportedModels,
      audit: store.audit,
      upward: operations,
      nextId,
      clock,
      random,
      log: log.child({ part: 'usp' }),
    })
    operations.setDrivers([acs.driver, controller.driver])
    const heed = (event: FeedEvent) => {
      controller.heed(event)
      rowSets.heed(event)
      if (event.type === 'device.deleted' && event.deviceId !== undefined) acs.forget(event.deviceId)
    }
    bus.subscribe(heed)
    const follower = new FeedFollower({
      events: store.events,
      instances: store.instances,
      types: [...HEEDED_EVENTS, 'device.deleted', 'mappingRows.changed'],
      onEvent: heed,
      clock,
      log,
    })
    await tidyAfterDead(store, instance)
    const readiness = new ReadinessKeeper({
      devices: store.devices,
      parameters: store.parameters,
      fleet: store.fleet,
      clock,
      log: log.child({ part: 'readiness' }),
    })
    await lifecycle.start(readiness)
    await lifecycle.start(operations)
    await lifecycle.start(follower)
    await lifecycle.start(controller)
    const address = mtps.address()
    await lifecycle.start(acs)

    const groups = new Groups({
      groups: store.groups,
      devices: store.devices,
      audit: store.audit,
      newId: nextId,
      clock,
    })
    const planner = new Planner({
      plans: store.plans,
      devices: store.devices,
      parameters: store.parameters,
      conflicts: store.conflicts,
      linkSecrets: store.linkSecrets,
      audit: store.audit,
      events: store.events,
      fleet: store.fleet,
      operations,
      instance,
      clock,
      newId: nextId,
      log,
      time,
      links: controller.links,
      onContact: (listener) => operations.onContact(listener),
      groupStore: store.groups,
      groups,
      bus,
      appendEvents: (events) => store.events.append(events),
      defaults: () =>
        defaultPlanSettings({
          endpointId: config.endpointId,
          ...address,
          ...defined({ certificate: certificates.usp && issuerOf(certificates.usp.cert) }),
          periodicNotifIntervalS: config.periodicNotifIntervalS,
        }),
    })
    await lifecycle.start(planner)
    const jobs = createJobQueue({
      db: store.db,
      instance,
      alive: () => aliveInstances(store, instance),
      log: log.child({ part: 'jobs' }),
    })
    jobs.every('planner.watch', 60_000, () => planner.watch(), LONG_JOB_MS)
    jobs.every('planner.readiness', 600_000, () => readiness.sweep(), SWEEP_JOB_MS)
    for (const job of operations.recovery.jobs()) jobs.every(job.name, job.intervalMs, () => job.handler())
    jobs.every('store.deleteExpired', 600_000, async () => void (await store.deleteExpired(time.now())), LONG_JOB_MS)
    jobs.every('normalization.adopt', 600_000, () => normalization.stored.adopt(), SWEEP_JOB_MS)
    jobs.every('normalization.remap', 5_000, () => normalization.remapping.run(), SWEEP_JOB_MS)
    jobs.every('instances.tidyAfterDead', 15_000, () => tidyAfterDead(store, instance))
    await lifecycle.start({
      name: 'jobs',
      start: () => jobs.start(),
      stop: async () => {
        readiness.endSweep()
        normalization.stored.stop()
        normalization.remapping.end()
        await jobs.stop()
      },
    })

    roomMetrics(metrics, { store, acs, controller })
    installationMetrics(metrics, packageVersion(), () => certificates.expiries())
    await lifecycle.start(createCensus(metrics, () => store.census(), log))
    const api = new Api({
      devices: store.devices,
      parameters: store.parameters,
      conflicts: store.conflicts,
      pendingAgents: store.pendingAgents,
      supportedModels: store.supportedModels,
      mappingCoverage: store.mappingCoverage,
      mappingRows: store.mappingRows,
      rowSets,
      credentials: store.credentials,
      linkSecrets: store.linkSecrets,
      events: store.events,
      audit: store.audit,
      apiKeys: store.apiKeys,
      instances: store.instances,
      host: config.apiHost,
      port: config.apiPort,
      ...defined({ tls: certificates.api && { cert: certificates.api.cert, key: certificates.api.key } }),
      corsOrigins: config.apiCorsOrigins?.split(',') ?? [],
      version: packageVersion(),
      operations,
      operationStore: store.operations,
      groups,
      groupStore: store.groups,
      planner,
      planStore: store.plans,
      asEndpointId: (text) => controller.asEndpointId(text),
      renewLinkSecret: createRenewLinkSecret({
        devices: store.devices,
        linkSecrets: store.linkSecrets,
        operations,
        controller: { endpointId: config.endpointId, ...address },
        mtp: mtps.rows,
      }),
      time,
      metrics,
      ready: () => store.ready(),
      newId: nextId,
      clock,
      random,
      log: log.child({ part: 'api' }),
    })
    await lifecycle.start(api)
    certificates.onRenewed(() => {
      if (certificates.cwmp !== undefined) acs.renewCertificate(certificates.cwmp)
      if (certificates.usp !== undefined) mtps.renewCertificate(certificates.usp)
      if (certificates.api !== undefined) api.renewCertificate(certificates.api)
    })
    await lifecycle.start(certificates)
    // With the listeners up, so that a failed start leaves no key that was never shown.
    const first = await ensureFirstKey({ ...config, apiKeys: store.apiKeys, random, newId: nextId, clock })
    log.info({ api: api.port, cwmp: acs.port, usp: mtps.port, instance }, 'Isthmus is up')
    return {
      apiPort: api.port,
      apiUrl: urlOf(config.apiHost, api.port, certificates.api !== undefined),
      cwmpPort: acs.port,
      cwmpsPort: acs.tlsPort,
      uspPort: mtps.port,
      databasePid: database?.pid,
      firstKey: first.key,
      firstKeyFile: first.file,
      enrolmentSecret,
      endpointId: config.endpointId,
      onDefect: (kind, error) => {
        log.error({ err: error, kind }, 'an error that was not handled')
        defects({ kind })
      },
      reloadCertificates: () => certificates.reload(),
      async reloadMappingRows() {
        if (!mappingFiles.reload()) return
        rowSets.useFiles(mappingFiles.sets)
        await store.mappingRows.noteFiles(mappingFiles.digest)
      },
      stop: () => lifecycle.stop(),
    }
  } catch (error) {
    await lifecycle.stop()
    throw inStartWords(error, config)
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

function urlOf(host: string, port: number, isTls: boolean): string {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `${isTls ? 'https' : 'http'}://${shown}:${port}`
}

/** Returns the last certificate of a chain: devices that trust it accept the renewed first one, too. */
function issuerOf(chain: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*$/.exec(chain)?.[0] ?? chain
}

/** The version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8')) as { version: string })
    .version
}
