/** Floor 3: TR-069. The codec, the ACS, and the CPE side that simulated devices use. */
export { Acs, type AcsOptions, type EnrolmentPolicy } from './acs/index.ts'
export * from './cpe/index.ts'
