/** The client side of CWMP, for simulated devices. */
export { Cpe } from './cpe.ts'
export { authorizeDownload } from './http-auth.ts'
export type { CpeIdentity } from './inform.ts'
export type { CpeCounters, CpeOptions, CpeState } from './options.ts'
export type { CpeQuirks } from './quirks.ts'
export { sessionRetryWaitMs } from './retry.ts'
export { type Transfer, TransferFault } from './transfers.ts'
export type { CwmpVersion } from './versions.ts'
