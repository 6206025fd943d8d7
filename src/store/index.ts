/** Floor 3: MongoDB, behind mongoose, and the embedded database. Nothing else knows either. */
export * from './engine/index.ts'
export type { Migration } from './migrate.ts'
export type { Db } from './mongoose.ts'
export { openStore, type Store, type StoreOptions } from './store.ts'
