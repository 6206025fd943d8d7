/** Floor 2: who may do what, what was done, and how secrets are kept. */
export * from './api-key.ts'
export * from './audit.ts'
export * from './manage-keys.ts'
export * from './secret-box.ts'
export * from './self-signed.ts'
