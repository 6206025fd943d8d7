import type { RouterIdentity } from '../../domain/index.ts'
import type { AgentModel, ModelChange } from '../../usp/index.ts'
import type { Look } from '../changes/places.ts'

/** The TR-181 model of a router without the part that is the Agent's own. */
export type MqttModel = Pick<AgentModel, 'supported' | 'instances' | 'get' | 'set' | 'add' | 'delete' | 'operate'>

/** A router whose Agent is up. */
export interface ServedRouter {
  readonly model: MqttModel
  readonly identity: RouterIdentity
  /** Calls back after each change of what is looked at, and maybe of more. Returns the function that ends this. */
  changes(look: Look, listener: (change: ModelChange) => void): () => void
}
