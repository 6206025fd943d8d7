/** Floor 4: the one engine for protocol-neutral verbs: validate, authorize, audit, persist, order, send, settle. */
export * from './authorize.ts'
export * from './limits.ts'
export * from './metrics.ts'
export * from './validate.ts'
export * from './validate-path.ts'
export * from './verbs.ts'
