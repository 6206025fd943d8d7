/** Floor 5: simulated devices and fleets of them, with scripted faults. */

export * from './device-presets.ts'
export { FAMILY_NAMES, type FamilyName } from './families/index.ts'
export * from './faults.ts'
export * from './fleet.ts'
export { describeFamilies, readFaults, readKinds, readMix } from './fleet-text.ts'
export * from './router-fleet.ts'
export {
  describeRouterProfiles,
  type EmulatedRouter,
  ROUTER_PROFILES,
  type RouterFaults,
  type RouterOptions,
  type RouterProfileName,
  startRouter,
} from './routeros/index.ts'
export * from './simulated-device.ts'
