/** The SOAP codec of TR-069: envelopes, methods, faults. */
export * from './envelope.ts'
export * from './faults.ts'
export * from './rpc.ts'
export type { DeviceIdStruct, FaultStruct, ParameterValue } from './structs.ts'
