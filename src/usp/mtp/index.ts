/** Message transfer protocols: the port, and one folder for each implementation. */
export * from './mtp.ts'
export * from './retry.ts'
export * from './websocket/index.ts'
