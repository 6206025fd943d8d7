import type { Role } from './permission.ts'

/**
 * Kinds of parties that ask for something. `operator` is a person at the command line of the server, `bridge` a process
 * that speaks for routers.
 */
export const ACTOR_KINDS = ['apiKey', 'planner', 'system', 'operator', 'bridge'] as const

/**
 * The stored part of a principal: the party that asked. `planner` alone may write over the protocol that is not the
 * owner.
 */
export interface Actor {
  kind: (typeof ACTOR_KINDS)[number]
  id: string
}

/** The party behind a request, with its rights. */
export interface Principal extends Actor {
  roles: readonly Role[]
  /** Names of the groups of people that it belongs to; an API key belongs to none. */
  groups: readonly string[]
}

/** The planner, where it acts by its own rules and not for a party that asked. */
export const PLANNER: Actor = { kind: 'planner', id: '' }

/** Returns the stored part of a principal. */
export function actorOf({ kind, id }: Actor): Actor {
  return { kind, id }
}

/** Returns an actor as the audit log, events and plans show it: `apiKey:01h...`, `planner:01h...`, `system`. */
export function actorText({ kind, id }: Actor): string {
  return id === '' || id === kind ? kind : `${kind}:${id}`
}
