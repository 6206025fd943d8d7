/** MikroTik RouterOS: the port to a router and its adapters. */
export * from './router-os.ts'
export * from './router-os-error.ts'
