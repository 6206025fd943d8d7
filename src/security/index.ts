/** Floor 2: API keys, the audit chain, sealed secrets, and the proofs of bridges. */
export * from './api-key.ts'
export * from './audit.ts'
export * from './bridge-token.ts'
export * from './hpke.ts'
export * from './manage-keys.ts'
export * from './secret-box.ts'
export * from './signed-request.ts'
export * from './timed-code.ts'
