import { AppError } from '../base/index.ts'
import { type BridgeRouter, type Principal, placeOf } from '../domain/index.ts'
import { auditedBy } from './audited-by.ts'
import { changedRouter, newRouter, type RouterInput, refuseTooMany } from './bridge-routers.ts'
import { type BridgeDeps, readBridge } from './bridges.ts'

/** The number of routers that an import added, changed, and found as they are described. */
interface RouterImport {
  added: number
  changed: number
  unchanged: number
}

/** A router of an import: with a login where it is new or its login changes. */
type ImportedRouter = Omit<RouterInput, 'login'> & { login?: RouterInput['login'] }

const ATTEMPTED = 'a router was changed by others during the import: send it again'

/**
 * Adds the routers that a bridge does not have, and changes those that it has at the same address and port; all or none.
 * Repeating it changes nothing unless logins come along. AppError `invalid` for a new router without a login, and for two
 * at one address; `conflict` as of `addRouter`.
 */
export async function importRouters(
  deps: Pick<BridgeDeps, 'bridges' | 'audit' | 'clock' | 'newId'>,
  bridgeId: string,
  routers: readonly ImportedRouter[],
  by: Principal,
): Promise<RouterImport> {
  const bridge = await readBridge(deps, bridgeId)
  const places = routers.map(placeOf)
  const twice = places.findIndex((place, i) => places.indexOf(place) !== i)
  if (twice >= 0) throw new AppError('invalid', `row ${twice + 1} has the address and port of an earlier row`)
  const present = new Map((await deps.bridges.routersAt(bridgeId, places)).map((router) => [router.place, router]))
  const add: BridgeRouter[] = []
  const replace: BridgeRouter[] = []
  for (const [i, router] of routers.entries()) {
    const known = present.get(places[i] ?? '')
    const { login, ...settings } = router
    if (known === undefined) {
      if (login === undefined)
        throw new AppError('invalid', `row ${i + 1} is a new router (${settings.address}) and has no login`)
      add.push(newRouter(deps, bridge, { ...settings, login }))
    } else if (login !== undefined || !isAs(known, settings)) {
      const change = {
        ...settings,
        fingerprint: settings.fingerprint ?? null,
        snmp: settings.snmp ?? 'off',
        snmpPort: settings.snmpPort ?? null,
        ...(login === undefined ? {} : { login }),
      }
      replace.push(changedRouter(deps, bridge, known, change))
    }
  }
  const outcome = {
    added: add.length,
    changed: replace.length,
    unchanged: routers.length - add.length - replace.length,
  }
  await refuseTooMany(deps, bridgeId, add.length)
  const deed = { action: 'router.import', target: bridgeId, after: { ...outcome } }
  return auditedBy(deps, by, deed, async () => {
    try {
      await deps.bridges.changeRouters(bridgeId, { add, replace, remove: [] })
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'conflict') throw new AppError('conflict', ATTEMPTED, { cause })
      throw cause
    }
    return outcome
  })
}

function isAs(known: BridgeRouter, settings: Omit<RouterInput, 'login'>): boolean {
  return (
    known.transport === settings.transport &&
    known.fingerprint === settings.fingerprint &&
    known.policy === settings.policy &&
    known.mqtt === settings.mqtt &&
    (known.snmp ?? 'off') === (settings.snmp ?? 'off') &&
    known.snmpPort === settings.snmpPort &&
    known.tags.join('\n') === settings.tags.join('\n')
  )
}
