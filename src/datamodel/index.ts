/** Floor 1: TR-181 and TR-098 paths, types, models and instantiated trees. Pure; knows no protocol. */
export * from './box-presets.ts'
export * from './model.ts'
export * from './path.ts'
export * from './search.ts'
export * from './secret.ts'
export * from './tree.ts'
export * from './types.ts'
export * from './version.ts'
