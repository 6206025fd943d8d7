/** Floor 3: MongoDB, behind mongoose, and the embedded database. Nothing else knows either. */
export type { Census } from './census.ts'
export * from './engine/index.ts'
export { type Examination, examineDatabase } from './examine.ts'
export type { Migration } from './migrate.ts'
export type { Db, Document_ } from './mongoose.ts'
export { recountPlan } from './plan-counters.ts'
export { openStore, type Store } from './store.ts'
