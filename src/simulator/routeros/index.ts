/** An emulated MikroTik router: its API, TLS and plain, over a store of menus. */
export type { RouterFaults } from './basis/faults.ts'
export { describeRouterProfiles, ROUTER_PROFILES, type RouterProfileName } from './profiles/index.ts'
export { type EmulatedRouter, type RouterOptions, startRouter } from './router.ts'
export { RouterLife } from './router-life.ts'
export { RouterScripts } from './router-scripts.ts'
