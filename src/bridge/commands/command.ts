import type { Clock, Log } from '../../base/index.ts'
import type { ModelCommand } from '../../datamodel/index.ts'
import type { RouterOs } from '../../routeros/index.ts'
import type { CommandCall, CommandResult } from '../../usp/index.ts'
import type { Level } from '../menus/form/menu.ts'
import type { RouterInstances } from '../write/instances.ts'
import type { RouterRows } from '../write/router-rows.ts'
import type { RouterWriter } from '../write/router-writer.ts'

/** Limits that an operator sets for the commands of one router. */
export interface RouterPolicy {
  /** Commands up to this level of danger are enabled. */
  readonly level: Level
  /** Host names from which a router may load firmware. */
  readonly firmwareHosts: readonly string[]
  /** Host names to which backups may go, and from which they may come. */
  readonly backupHosts: readonly string[]
  /** True when ping and traceroute may have loopback, link-local and multicast targets. */
  readonly allowsLocalTargets: boolean
}

/** A restart that a command has begun, for the Boot! event that follows (TR-181 Device.LocalAgent). */
export interface Restart {
  readonly cause: 'RemoteReboot' | 'RemoteFactoryReset'
  readonly commandKey: string
}

/** The router of a command, and the parts of the bridge that work on it. */
export interface CommandTools {
  readonly router: RouterOs
  readonly rows: RouterRows
  readonly writer: RouterWriter
  readonly instances: RouterInstances
  /** Resolves with the names of the interfaces that carry the connection of the bridge. */
  managementInterfaces(): Promise<ReadonlySet<string>>
  readonly policy: RouterPolicy
  readonly clock: Clock
  readonly log: Log
  /** Called right before a router is restarted. */
  onRestart(restart: Restart): void
}

/** A command of TR-181 as the bridge has it. */
export interface BridgeCommand {
  /** Schema path of the object. */
  readonly object: string
  /** Definition of a command that the standard does not have. */
  readonly own?: ModelCommand
  readonly name: string
  /** Menus of which the router must have one. */
  readonly needs: readonly string[]
  /** Danger of this call. */
  level(call: CommandCall): Level
  /**
   * Checks a call and resolves with the work that begins when it is accepted. AgentError 7027 for arguments, and others
   * where the router cannot do it.
   */
  prepare(call: CommandCall, tools: CommandTools): Promise<() => Promise<CommandResult>>
}

/** Returns a definition of a command of this bridge. */
export function ownCommand(name: string, async: boolean, input: readonly string[] = []): ModelCommand {
  return { name, async, input: input.map((one) => ({ name: one, type: 'string', mandatory: false })), output: [] }
}
