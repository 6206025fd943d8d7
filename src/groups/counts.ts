import type { Clock, Log } from '../base/index.ts'
import type { FleetStore, Group, PresenceCounts, ReadinessRow } from '../domain/index.ts'
import { type Counted, FreshCounts } from './fresh-counts.ts'
import { selectorOf } from './selectors.ts'

interface GroupCountsDeps {
  fleet: Pick<FleetStore, 'presence' | 'readiness'>
  clock: Clock
  log: Log
}

/** Counts over the devices of a group, at most ten seconds old. */
export class GroupCounts {
  readonly #fleet: GroupCountsDeps['fleet']
  readonly #presence: FreshCounts<PresenceCounts>
  readonly #readiness: FreshCounts<ReadinessRow[]>

  constructor(deps: GroupCountsDeps) {
    this.#fleet = deps.fleet
    this.#presence = new FreshCounts(deps, { background: true })
    this.#readiness = new FreshCounts(deps, { background: false })
  }

  /** The devices of a group per protocol, in contact and not. */
  presence(group: Group): Promise<Counted<PresenceCounts>> {
    return this.#presence.get(keyOf(group), () => this.#fleet.presence(selectorOf(group)))
  }

  /** The readiness of the devices of a group, or of all, in at most `limit` rows. */
  readiness(group: Group | undefined, limit: number): Promise<Counted<ReadinessRow[]>> {
    const selector = group === undefined ? undefined : selectorOf(group)
    return this.#readiness.get(`${keyOf(group)}|${limit}`, () => this.#fleet.readiness(selector, limit))
  }

  /** Ends the counting in the background. */
  stop(): void {
    this.#presence.stop()
  }
}

/** A changed selector has counts of its own. */
function keyOf(group: Group | undefined): string {
  return group === undefined ? '' : `${group.id}|${group.selector ?? ''}`
}
