import { networksOf } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { AcsOptions } from '../cwmp/index.ts'

type Limits = Pick<AcsOptions, 'maxInformBytes' | 'digestAlgorithms' | 'trustedProxies' | 'connectionRequestNetworks'>

/** What the configuration says about whom the ACS listens to, and how much. */
export function cwmpLimits(config: Config): Limits {
  const { trustedProxies, connectionRequestNetworks } = config
  return {
    maxInformBytes: config.maxInformKb * 1024,
    digestAlgorithms: config.digestAlgorithms.split(',').map((name) => (name === 'md5' ? 'MD5' : 'SHA-256')),
    ...(trustedProxies === undefined ? {} : { trustedProxies: networksOf(trustedProxies) }),
    ...(connectionRequestNetworks === undefined
      ? {}
      : { connectionRequestNetworks: networksOf(connectionRequestNetworks) }),
  }
}
