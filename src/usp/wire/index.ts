/** The USP codec: Records, Messages, Endpoint IDs, error codes. */
export * from './codec.ts'
export * from './endpoint-id.ts'
export * from './errors.ts'
export * from './messages.ts'
