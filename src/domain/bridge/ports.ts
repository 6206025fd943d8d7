import type { NewEvent } from '../feed/event.ts'
import type { Page } from '../page.ts'
import type { Bridge } from './bridge.ts'
import type { BridgeRouter, RouterState } from './router.ts'

/** A router list: of one bridge, with at most one of the filters. */
export interface RouterQuery {
  bridgeId: string
  reachable?: boolean
  tag?: string
  limit: number
  cursor?: string
}

/** Changes of the routers of one bridge, done together. */
export interface RouterChanges {
  /** New ones. */
  add: readonly BridgeRouter[]
  /** Whole rows in place of those with the revision before; their states stay as they are stored. */
  replace: readonly BridgeRouter[]
  /** Ids. */
  remove: readonly string[]
}

/** Bridges, their routers, and what bridges report. */
export interface BridgeStore {
  /**
   * Stores a bridge, with the events; `expectedRevision`: in place of the one with that revision. Facts that `seen` noted
   * stay. AppError `conflict` when it moved on, or when its name is taken.
   */
  put(bridge: Bridge, events: readonly NewEvent[], expectedRevision?: number): Promise<void>
  get(id: string): Promise<Bridge | undefined>
  /** A page in the order of ids. */
  list(query: { limit: number; cursor?: string }): Promise<Page<Bridge>>
  count(limit: number): Promise<number>
  /** Notes that a bridge was heard; does nothing for one that is gone. */
  seen(
    id: string,
    seen: Required<Pick<Bridge, 'lastSeenAt'>> & Pick<Bridge, 'version' | 'remoteAddress'>,
  ): Promise<void>
  /** Deletes a bridge with its routers; false when there is none. */
  delete(id: string, events: readonly NewEvent[]): Promise<boolean>

  router(bridgeId: string, id: string): Promise<BridgeRouter | undefined>
  /** Resolves with the routers of a bridge at these places, see `placeOf`. */
  routersAt(bridgeId: string, places: readonly string[]): Promise<BridgeRouter[]>
  /** A page in the order of ids. */
  routers(query: RouterQuery): Promise<Page<BridgeRouter>>
  /** Routers in the order of ids behind one; `next`: there are more. */
  routersAfter(bridgeId: string, limit: number, after?: string): Promise<{ items: BridgeRouter[]; next: boolean }>
  countRouters(bridgeId: string, limit: number): Promise<number>
  /** Routers of any bridge whose reported identity has one of these Endpoint IDs. */
  routersOfEndpoints(endpointIds: readonly string[]): Promise<BridgeRouter[]>
  /** Routers of any bridge that state this serial number; the first ones. */
  routersOfSerial(serial: string): Promise<BridgeRouter[]>
  /**
   * Calls back after each commit of this process that changed routers or their states, with the serial numbers that they
   * state; the returned function unsubscribes.
   */
  onRouters(listener: (serials: readonly string[]) => void): () => void
  /**
   * Changes routers and counts the change in their bridge, all or none. AppError `conflict` when a row moved on or a
   * place is taken.
   */
  changeRouters(bridgeId: string, changes: RouterChanges): Promise<void>
  /** Stores the states of routers by id, with the events; ids that the bridge does not have are left out. */
  report(bridgeId: string, states: ReadonlyMap<string, RouterState>, events: readonly NewEvent[]): Promise<void>
}
