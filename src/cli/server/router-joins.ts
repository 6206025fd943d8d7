import { RouterJoins } from '../../desk/index.ts'
import type { Foundation } from './foundation.ts'
import type { Southbound } from './southbound.ts'

/** Makes the part that joins routers with their Agents, and gives it the events of this instance. */
export function routerJoins(foundation: Foundation, { operations }: Southbound): RouterJoins {
  const { store, clock, log, bus } = foundation
  const joins = new RouterJoins({
    devices: store.devices,
    bridges: store.bridges,
    certificates: store.certificates,
    operations,
    conflicts: store.conflicts,
    credentials: store.credentials,
    linkSecrets: store.linkSecrets,
    events: store.events,
    audit: store.audit,
    clock,
    log: log.child({ part: 'bridges' }),
  })
  bus.subscribe((event) => joins.heed(event))
  return joins
}
