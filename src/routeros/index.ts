/** MikroTik RouterOS: the port to a router and its adapters. */

export * from './api/open-api.ts'
export * from './api/security.ts'
export * from './router-connection.ts'
export * from './router-os.ts'
export * from './router-os-error.ts'
export * from './router-session.ts'
export * from './ssh/open-ssh.ts'
export * from './values/dates.ts'
export * from './values/durations.ts'
export * from './values/lists.ts'
export * from './values/numbers.ts'
export * from './values/radio.ts'
