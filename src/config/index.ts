/** Floor 1: the option table and the frozen, typed configuration read from it. */
export * from './loopback.ts'
export * from './options.ts'
export * from './print.ts'
export * from './read.ts'
