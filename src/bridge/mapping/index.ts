/** TR-181 objects and the menus of RouterOS that they come from, as data. */
export * from './all.ts'
export * from './declaration.ts'
export * from './demands.ts'
export { isVendors } from './raw.ts'
