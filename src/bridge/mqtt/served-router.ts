import type { RouterIdentity } from '../../domain/index.ts'
import type { AgentModel, ModelChange } from '../../usp/index.ts'
import type { Look } from '../changes/places.ts'

/** The TR-181 model of a router without the part that is the Agent's own. */
export interface MqttModel extends Pick<AgentModel, 'supported' | 'instances' | 'set' | 'add' | 'delete' | 'operate'> {
  /** As the port has it; `viaSnmp` gets the paths whose values came over SNMP. */
  get(paths: readonly string[], viaSnmp?: Set<string>): Promise<ReadonlyMap<string, string>>
}

/** A router whose Agent is up. */
export interface ServedRouter {
  readonly model: MqttModel
  readonly identity: RouterIdentity
  /** True when SNMP shows measured values also while the connection is gone. */
  readonly hasSnmp: boolean
  /** Calls back after each change of what is looked at, and maybe of more. Returns the function that ends this. */
  changes(look: Look, listener: (change: ModelChange) => void): () => void
}
