import { defined } from '../../base/index.ts'
import { Groups } from '../../groups/index.ts'
import { defaultPlanSettings, Planner } from '../../planner/index.ts'
import { issuerOf } from '../parts/issuer-of.ts'
import type { Foundation } from './foundation.ts'
import type { Southbound } from './southbound.ts'

/** Address at which Agents reach this server, as plans write it. */
type AgentAddress = ReturnType<Southbound['mtps']['address']>

/** Makes groups and the planner, over operations and the links of Agents. */
export function createPlanning(foundation: Foundation, southbound: Southbound, address: AgentAddress) {
  const { config, clock, log, instance, certificates, store, nextId, time, bus } = foundation
  const { operations, controller } = southbound
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
    pendingAgents: store.pendingAgents,
    bridges: store.bridges,
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
  return { groups, planner }
}
