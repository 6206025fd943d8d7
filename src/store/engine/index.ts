/** The private database: fetched, started, watched and stopped by Isthmus. */
export { hasDatabase, runningAddress } from './address.ts'
export { EmbeddedDatabase } from './embedded.ts'
export { fetchEngine, findEngine } from './fetch.ts'
export { FolderLock } from './folder-lock.ts'
