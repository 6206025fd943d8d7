/** Message transfer protocols: the port, the table of their rows, and one folder for each implementation. */
export * from './agent-transport.ts'
export * from './mtp.ts'
export * from './retry.ts'
export * from './rows.ts'
export * from './table.ts'
export * from './websocket/index.ts'
