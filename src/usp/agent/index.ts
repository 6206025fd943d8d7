/** The Agent side of USP, for simulated boxes. */
export { type AgentCounters, type AgentQuirks, UspAgent } from './agent.ts'
