/** The ports of an MTP: its Controller side, its Agent side, and its rows in TR-181. */
export * from './agent-transport.ts'
export * from './mtp.ts'
export * from './rows.ts'
