import type { Actor } from '../../src/domain/index.ts'

/** The parties of tests that ask for something over the API. */
export const ANN: Actor = { kind: 'apiKey', id: 'ann' }
export const BEN: Actor = { kind: 'apiKey', id: 'ben' }
