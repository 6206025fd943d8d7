import { Api } from '../../api/index.ts'
import { defined } from '../../base/index.ts'
import { Confirmations } from '../../desk/index.ts'
import { createRenewLinkSecret } from '../../operations/index.ts'
import { issuerOf } from '../parts/issuer-of.ts'
import { listenerLimits } from '../parts/listener-limits.ts'
import type { Foundation } from './foundation.ts'
import type { createPlanning } from './planning.ts'
import type { Southbound } from './southbound.ts'
import { packageVersion } from './version.ts'

/** Makes the REST API over all other parts. */
export function createApi(
  foundation: Foundation,
  { operations, controller, mtps }: Southbound,
  { groups, planner }: ReturnType<typeof createPlanning>,
  address: ReturnType<Southbound['mtps']['address']>,
): Api {
  const { config, clock, random, log, certificates, store, nextId, time, metrics, rowSets, secretBox } = foundation
  return new Api({
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
    bridges: store.bridges,
    certificates: store.certificates,
    authority: foundation.authority,
    controllerOfBridges: () => ({
      endpointId: config.endpointId,
      ...address,
      ...defined({ certificate: certificates.usp && issuerOf(certificates.usp.cert) }),
    }),
    events: store.events,
    audit: store.audit,
    apiKeys: store.apiKeys,
    instances: store.instances,
    host: config.apiHost,
    port: config.apiPort,
    ...listenerLimits(config).api,
    ...defined({ tls: certificates.api && { cert: certificates.api.cert, key: certificates.api.key } }),
    corsOrigins: config.apiCorsOrigins?.split(',') ?? [],
    version: packageVersion(),
    operations,
    confirmations: new Confirmations((purpose, text) => secretBox.mac(purpose, text), clock),
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
}
