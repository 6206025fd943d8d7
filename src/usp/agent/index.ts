/** The Agent side of USP over the port of a device's model. */
export { type AgentCounters, UspAgent } from './agent.ts'
export { AgentError } from './agent-error.ts'
export * from './agent-model.ts'
export { TreeModel } from './tree-model.ts'
