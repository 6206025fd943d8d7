/** The private database: fetched, started, watched and stopped by Isthmus. */
export { runningAddress } from './address.ts'
export { EmbeddedDatabase, type EmbeddedOptions } from './embedded.ts'
export { fetchEngine, findEngine } from './fetch.ts'
