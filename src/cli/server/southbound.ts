import { defined, steadyClock } from '../../base/index.ts'
import { FeedFollower } from '../../bus/index.ts'
import { Acs } from '../../cwmp/index.ts'
import { loadModel } from '../../datamodel/index.ts'
import { type FeedEvent, refreshRules } from '../../domain/index.ts'
import { FileServer } from '../../files/index.ts'
import { Normalization } from '../../normalization/index.ts'
import { createOperationFiles, OperationsEngine } from '../../operations/index.ts'
import { Controller, HEEDED_EVENTS } from '../../usp/index.ts'
import { listenerLimits } from '../parts/listener-limits.ts'
import { NewDevices } from '../parts/new-devices.ts'
import type { Foundation } from './foundation.ts'
import { createMtps } from './mtps.ts'
import { operationsMetrics, southboundMetrics } from './server-metrics.ts'

/** The parts between the store and the devices. */
export type Southbound = ReturnType<typeof createSouthbound>

/** Makes operations and both protocols. Nothing listens yet. */
export function createSouthbound(foundation: Foundation) {
  const { config, clock, random, log, instance, certificates, store, nextId, enrolmentSecret, metrics, bus, rowSets } =
    foundation
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
    routerPackagePlaces: config.routerPackageUrls?.split(',') ?? [],
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
  const files = new FileServer({
    sources: { operation: createOperationFiles(store) },
    mac: (purpose, text) => foundation.secretBox.mac(purpose, text),
    clock,
    log: log.child({ part: 'files' }),
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
      publicUrl: config.cwmpPublicUrl,
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
    files,
    clock,
    steadyClock,
    random,
    log: log.child({ part: 'cwmp' }),
  })
  const mtps = createMtps(config, {
    ...limits.usp,
    ...defined({ tls: certificates.usp, ownAuthority: foundation.ownAuthority }),
    refused: (shown) => foundation.authority.refused(shown),
    clock,
    log: log.child({ part: 'usp' }),
  })
  const controller = new Controller({
    ...southbound.usp,
    mtps: mtps.all,
    endpointId: config.endpointId,
    admission: config.agentAdmission,
    periodicNotifIntervalS: config.periodicNotifIntervalS,
    factRules: refreshRules(config.factRefresh),
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
    // Certificates of the bridge were revoked right before.
    if (event.type === 'bridge.deleted' || event.type === 'bridge.registered') mtps.closeRefused()
    if (event.type === 'device.deleted' && event.deviceId !== undefined) acs.forget(event.deviceId)
  }
  bus.subscribe(heed)
  const follower = new FeedFollower({
    events: store.events,
    instances: store.instances,
    types: [...HEEDED_EVENTS, 'mappingRows.changed'],
    onEvent: heed,
    clock,
    log,
  })
  return { normalization, operations, acs, mtps, controller, follower }
}
