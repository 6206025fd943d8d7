/** Floor 4: the one engine for protocol-neutral verbs: validate, authorize, audit, persist, order, send, reconcile. */

export { OperationsEngine } from './engine.ts'
export { createRenewLinkSecret, type RenewLinkSecret } from './link-secret.ts'
export type { OperationsMetrics } from './metrics.ts'
export { createOperationFiles } from './operation-files.ts'
export type { OperationsDeps } from './parts.ts'
