import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, defined, type Log, randomToken, systemClock, systemRandom } from '../../base/index.ts'
import { hashedAddresses, MqttHub, NO_PRIVACY, Topics } from '../../bridge/index.ts'
import type { BridgeOptions } from '../../config/index.ts'
import { brokerDialler } from '../../mqtt/index.ts'
import { readPem } from '../parts/pem.ts'

const KEY_BYTES = 32

/** Returns the hub of a bridge with a broker; undefined without one. AppError for files that cannot be used. */
export function mqttOf(options: BridgeOptions, log: Log): MqttHub | undefined {
  const { mqttUrl: url, mqttUsername: username, mqttPassword: password, mqttPrefix, mqttVersion, stateDir } = options
  if (url === undefined) return undefined
  const topics = new Topics(mqttPrefix)
  const pem = (flag: string, path: string | undefined) => (path === undefined ? undefined : readPem(flag, path))
  const settings = {
    url,
    clientId: options.mqttClientId ?? `isthmus-${randomToken(systemRandom, 9)}`,
    stateTopic: topics.bridgeState,
    ...defined({
      username,
      password,
      ca: pem('--mqtt-ca', options.mqttCa),
      certificate: pem('--mqtt-cert', options.mqttCert),
      key: pem('--mqtt-key', options.mqttKey),
    }),
  }
  return new MqttHub({
    dial: brokerDialler(settings),
    level: mqttVersion === 'auto' ? undefined : mqttVersion === '5' ? 5 : 4,
    topics,
    privacy:
      options.mqttPrivacy === true ? hashedAddresses(privacyKey(join(stateDir, 'mqtt-privacy.key'))) : NO_PRIVACY,
    telemetryMs: options.mqttTelemetry * 1000,
    clock: systemClock,
    random: systemRandom,
    log: log.child({ part: 'mqtt' }),
  })
}

/** The key of the hashes of hardware addresses: the same at each start, so that one client stays one client. */
function privacyKey(path: string): Buffer {
  try {
    const key = readFileSync(path)
    if (key.length === KEY_BYTES) return key
    throw new AppError('invalid', `${path} is no key of ${KEY_BYTES} bytes: delete it, and another one is made`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const key = randomBytes(KEY_BYTES)
  writeFileSync(`${path}.new`, key, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  return key
}
