/** Floor 1: a table of options for each command, and the frozen, typed values that are read from it. */
export * from './demo-options.ts'
export * from './loopback.ts'
export * from './option-row.ts'
export * from './options.ts'
export * from './print.ts'
export * from './read.ts'
export * from './read-flags.ts'
export * from './simulate-options.ts'
