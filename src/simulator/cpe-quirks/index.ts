/** Quirks of simulated CPEs, each a decorator of the model, the methods or the transport of a CPE. */
export * from './cpe-quirk.ts'
export * from './exchange.ts'
export * from './reading.ts'
export * from './soap.ts'
export * from './values.ts'
export * from './writing.ts'
