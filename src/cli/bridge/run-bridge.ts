import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '../../api/index.ts'
import { createLog, defined, type Log, limitLines, portOf, systemClock, systemRandom } from '../../base/index.ts'
import {
  AuditFile,
  BridgeFleet,
  BridgeIdentity,
  Confirmations,
  Enrolment,
  FileRows,
  type RouterRows,
  routerOpener,
  ServerClient,
} from '../../bridge/index.ts'
import { type BridgeOptions, readBridgeOptions } from '../../config/index.ts'
import { FolderLock } from '../../store/index.ts'
import { Codec, NotifyFile } from '../../usp/index.ts'
import { readPem } from '../parts/pem.ts'
import { createStopSignals } from '../server/stop-signals.ts'
import { packageVersion } from '../server/version.ts'
import { bridgeGauges, routerMetrics } from './bridge-metrics.ts'
import { serveHealth } from './health.ts'
import { mqttOf } from './mqtt-parts.ts'

/** Lines with the same text in a minute. */
const LINES_PER_MINUTE = 6
/** Time for Agents to take leave and for files to be closed. */
const STOP_MS = 15_000

/** Runs a bridge until a signal, or the process that started it, stops it. A second signal ends it at once. */
export async function runBridge(flags: Record<string, string | undefined>): Promise<void> {
  const options = readBridgeOptions(flags, process.env)
  const log = createLog({ level: options.logLevel })
  const stopped = new Promise<string>((resolve) => onSignals(resolve))
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 })
  const lock = new FolderLock(options.stateDir, options.stateDir, '--state-dir')
  await lock.take()
  process.on('exit', () => lock.release())
  if (options.allowPlainRouteros === true)
    log.warn({ option: '--allow-plain-routeros' }, 'passwords of routers with the plain API can be read on the way')
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'an error that was not handled'))
  const metrics = createMetrics()
  const mqtt = mqttOf(options, log)
  const notifies = await NotifyFile.open(join(options.stateDir, 'notifies.jsonl'), log)
  const fleet = new BridgeFleet({
    mqtt,
    folder: options.stateDir,
    rows: await rowsOf(options, log),
    open: routerOpener(
      {
        ca: options.routerosCa === undefined ? undefined : readPem('--routeros-ca', options.routerosCa),
        allowPlain: options.allowPlainRouteros === true,
      },
      { clock: systemClock, log: log.child({ part: 'routeros' }) },
    ),
    firmwareHosts: listOf(options.firmwareHosts),
    backupHosts: listOf(options.backupHosts),
    notifies,
    confirmations: new Confirmations(systemClock),
    audit: new AuditFile(join(options.stateDir, 'audit.jsonl'), systemClock),
    metrics: routerMetrics(metrics),
    codec: new Codec(),
    clock: systemClock,
    random: systemRandom,
    log: log.child({ part: 'bridge' }),
  })
  await fleet.start()
  await mqtt?.start()
  bridgeGauges(metrics, { fleet, notifies, mqtt }, packageVersion())
  const counts = () => ({ ...fleet.counts, ...(mqtt === undefined ? {} : { mqtt: mqtt.counts }) })
  const health = await serveHealth({ host: options.healthHost, port: options.healthPort }, { counts, metrics }, log)
  const port = portOf(health)
  process.send?.({ type: 'ready', pid: process.pid, healthPort: port })
  log.info({ healthPort: port, routers: fleet.counts.routers }, 'the bridge is up')
  const why = await stopped
  log.info({ why }, 'the bridge stops')
  const limit = setTimeout(() => {
    console.error(`not stopped within ${STOP_MS / 1000} s; what is under way is taken up at the next start`)
    process.exit(1)
  }, STOP_MS)
  health.close()
  await mqtt?.stop()
  await fleet.stop()
  await notifies.close()
  clearTimeout(limit)
  process.exit(0)
}

async function rowsOf(options: BridgeOptions, log: Log): Promise<RouterRows> {
  const { server, token, serverCa, stateDir, routers = '' } = options
  const parts = {
    clock: systemClock,
    random: systemRandom,
    log: limitLines(log.child({ part: 'enrolment' }), systemClock, LINES_PER_MINUTE),
  }
  if (server !== undefined) {
    const ca = serverCa === undefined ? undefined : readPem('--server-ca', serverCa)
    return new Enrolment({
      ...parts,
      folder: stateDir,
      identity: await BridgeIdentity.open(stateDir),
      server: new ServerClient({ url: server, ca, clock: systemClock }),
      token,
      version: packageVersion(),
    })
  }
  const { controllerId, uspHost: host, uspPort: port, uspPath: path, uspTls: tls, uspCa } = options
  const certificate = uspCa === undefined ? undefined : readPem('--usp-ca', uspCa)
  // Routers that are on MQTT alone have no Controller.
  const controllers =
    controllerId === undefined ? [] : [{ endpointId: controllerId, host, port, path, tls, ...defined({ certificate }) }]
  return new FileRows({ ...parts, file: routers, controllers, certificates: options.agentCertificates })
}

function listOf(text: string): string[] {
  return text.split(',').filter((name) => name !== '')
}

function onSignals(first: (name: string) => void): void {
  const meaning = createStopSignals(() => performance.now())
  const onSignal = (name: string) => {
    if (meaning() === 'endAtOnce') process.exit(1)
    first(name)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('disconnect', () => first('the process that started this one is gone'))
}
