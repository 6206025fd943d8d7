/** Floor 3: TR-369. The codec, the MTP, our Controller, and the Agent side. */
export * from './agent/index.ts'
export * from './controller/index.ts'
export * from './mtp/index.ts'
export { Codec, parseEndpointId, requestMsg, responseMsg } from './wire/index.ts'
