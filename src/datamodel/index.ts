/** Floor 1: TR-181 and TR-098 paths, types and models. Pure; knows no protocol and no device. */
export * from './arguments.ts'
export * from './equal-commands.ts'
export * from './model.ts'
export * from './path.ts'
export * from './search.ts'
export * from './secret.ts'
export * from './types.ts'
export * from './version.ts'
