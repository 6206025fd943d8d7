/** Message transfer protocols: the ports, the table of their rows, and one folder for each implementation. */
export * from './port/index.ts'
export * from './retry.ts'
export * from './table.ts'
export * from './websocket/index.ts'
