/** Floor 3: MongoDB, behind mongoose, and the embedded database. Nothing else knows either. */

export * from './engine/index.ts'
export type { Db, Document_ } from './mongo/mongoose.ts'
export { recountPlan } from './repositories/plan-counters.ts'
export { type Examination, examineDatabase } from './set-up/examine.ts'
export type { Migration } from './set-up/migrate.ts'
export { openStore, type Store } from './store.ts'
export type { Census } from './upkeep/census.ts'
