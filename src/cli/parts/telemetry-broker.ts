import { defined, randomToken, systemRandom } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { brokerDialler, type DialBroker, type MqttLevel } from '../../mqtt/index.ts'
import { MAX_PAYLOAD } from '../../telemetry/index.ts'
import { readPem } from './pem.ts'

/** Bytes of a packet beside its payload: topic and properties. */
const MAX_FRAME = 4096

/**
 * Returns the way to the broker of telemetry, and its version; undefined without one. `isTrial`: under a client
 * identifier of its own, so that a server beside it keeps its connection. AppError for files that cannot be used.
 */
export function telemetryBroker(
  config: Config,
  isTrial = false,
): { dial: DialBroker; level: MqttLevel | undefined } | undefined {
  const { telemetryUrl: url, telemetryVersion, telemetryUsername: username, telemetryPassword: password } = config
  if (url === undefined) return undefined
  const pem = (flag: string, path: string | undefined) => (path === undefined ? undefined : readPem(flag, path))
  const clientId = isTrial ? undefined : config.telemetryClientId
  const dial = brokerDialler({
    url,
    clientId: clientId ?? `isthmus-${randomToken(systemRandom, 9)}`,
    keepsSession: clientId !== undefined,
    maxPacket: MAX_PAYLOAD + MAX_FRAME,
    ...defined({
      username,
      password,
      ca: pem('--telemetry-ca', config.telemetryCa),
      certificate: pem('--telemetry-cert', config.telemetryCert),
      key: pem('--telemetry-key', config.telemetryKey),
    }),
  })
  return { dial, level: telemetryVersion === 'auto' ? undefined : telemetryVersion === '5' ? 5 : 4 }
}
