import { createLifecycle, createLog, type Log } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { ReadinessKeeper } from '../../planner/index.ts'
import { ensureFirstKey } from '../parts/first-key.ts'
import { inStartWords } from '../parts/start-error.ts'
import { createCensus } from './census.ts'
import { type StartOptions, startFoundation } from './foundation.ts'
import { tidyAfterDead } from './instance.ts'
import { createApi } from './northbound.ts'
import { createPlanning } from './planning.ts'
import { recurringJobs } from './recurring-jobs.ts'
import { routerJoins } from './router-joins.ts'
import { installationMetrics, roomMetrics } from './server-metrics.ts'
import { createSouthbound } from './southbound.ts'
import { createTelemetry } from './telemetry-parts.ts'
import { packageVersion } from './version.ts'

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

/** Puts the house together and starts it, floor by floor. */
export async function startServer(config: Config, options: Partial<StartOptions> = {}): Promise<RunningServer> {
  const log: Log = options.log ?? createLog({ level: config.logLevel })
  const lifecycle = createLifecycle(log)
  try {
    return await startFloors(config, { ...options, log }, lifecycle)
  } catch (error) {
    await lifecycle.stop()
    throw inStartWords(error, config)
  }
}

async function startFloors(
  config: Config,
  options: StartOptions,
  lifecycle: ReturnType<typeof createLifecycle>,
): Promise<RunningServer> {
  const foundation = await startFoundation(config, options, lifecycle.start)
  const { clock, random, log, instance, certificates, mappingFiles, store, nextId, metrics, rowSets } = foundation
  const southbound = createSouthbound(foundation)
  const { operations, acs, mtps, controller, follower } = southbound
  await tidyAfterDead(store, instance)
  const readiness = new ReadinessKeeper({
    devices: store.devices,
    parameters: store.parameters,
    fleet: store.fleet,
    bridges: store.bridges,
    clock,
    log: log.child({ part: 'readiness' }),
  })
  await lifecycle.start(readiness)
  await lifecycle.start(operations)
  await lifecycle.start(follower)
  await lifecycle.start(controller)
  const address = mtps.address()
  await lifecycle.start(acs)
  const telemetry = createTelemetry(foundation)
  if (telemetry !== undefined) await lifecycle.start(telemetry)

  const planning = createPlanning(foundation, southbound, address)
  await lifecycle.start(planning.planner)
  await lifecycle.start(routerJoins(foundation, southbound))
  await lifecycle.start(recurringJobs(foundation, southbound, planning.planner, readiness))
  roomMetrics(metrics, { store, acs, controller })
  installationMetrics(metrics, packageVersion(), () => certificates.expiries())
  await lifecycle.start(createCensus(metrics, () => store.census(), log))
  const api = createApi(foundation, southbound, planning, address)
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
    databasePid: foundation.database?.pid,
    firstKey: first.key,
    firstKeyFile: first.file,
    enrolmentSecret: foundation.enrolmentSecret,
    endpointId: config.endpointId,
    onDefect: (kind, error) => {
      log.error({ err: error, kind }, 'an error that was not handled')
      foundation.defects({ kind })
    },
    reloadCertificates: () => certificates.reload(),
    async reloadMappingRows() {
      if (!mappingFiles.reload()) return
      rowSets.useFiles(mappingFiles.sets)
      await store.mappingRows.noteFiles(mappingFiles.digest)
    },
    stop: () => lifecycle.stop(),
  }
}

function urlOf(host: string, port: number, isTls: boolean): string {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `${isTls ? 'https' : 'http'}://${shown}:${port}`
}
