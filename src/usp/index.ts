/** Floor 3: TR-369. The codec, the MTP, our Controller, and the Agent side. */
export * from './agent/index.ts'
export * from './controller/index.ts'
export {
  type ControllerAddress,
  MTPS,
  type Mtp,
  type MtpRows,
  mtpOf,
  neededValues,
  retryWaitMs,
  speaks,
  WEBSOCKET_ROWS,
  WebSocketMtp,
  type WebSocketMtpOptions,
  writtenNames,
} from './mtp/index.ts'
export { Codec, parseEndpointId, requestMsg, responseMsg } from './wire/index.ts'
