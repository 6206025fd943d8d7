/** The client side of CWMP, for simulated boxes. */
export { Cpe, type CpeCounters, type CpeIdentity, type CpeOptions, type CpeState } from './cpe.ts'
export { sessionRetryWaitMs } from './retry.ts'
export type { CpeQuirks } from './rpcs.ts'
