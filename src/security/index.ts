/** Floor 2: API keys, the audit chain, sealed secrets and self-signed certificates. */
export * from './api-key.ts'
export * from './audit.ts'
export * from './manage-keys.ts'
export * from './secret-box.ts'
export * from './self-signed.ts'
