/** Floor 3: TR-369. The codec, the MTP, our Controller, and the Agent side. */
export { Controller, type ControllerOptions } from './controller/index.ts'
export { retryWaitMs } from './mtp/index.ts'
