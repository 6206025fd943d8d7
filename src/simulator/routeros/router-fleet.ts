import { AppError, type Clock, type Random, randomToken } from '../../base/index.ts'
import { newTlsKey, selfSigned } from '../../pki/index.ts'
import { ROUTER_PROFILES, type RouterProfileName } from './profiles/index.ts'
import { type EmulatedRouter, startRouter } from './router.ts'

interface RouterFleetOptions {
  count: number
  /** Dealt out in turn. */
  profiles: readonly RouterProfileName[]
  /** Of the API of the first router; 0: any that are free. */
  firstPort: number
  host: string
  clock: Clock
  random: Random
}

/** A router as a bridge has to know it. */
interface RouterSummary {
  serial: string
  profile: string
  host: string
  port: number
  tlsPort: number
  user: string
  password: string
  /** PEM by which the API over TLS is known. */
  certificate: string
}

/** The account of a bridge: nothing that its work does not need. */
const USER = { name: 'bridge', group: ['api', 'ssh', 'read', 'write', 'test', 'reboot', 'sensitive'] }
const DAY_MS = 86_400_000

/** Emulated routers in one process. */
export class RouterFleet {
  readonly routers: EmulatedRouter[] = []
  readonly #options: RouterFleetOptions
  readonly #password: string
  #certificate = ''

  constructor(options: RouterFleetOptions) {
    this.#options = options
    this.#password = randomToken(options.random, 12)
  }

  /** Starts all routers; rejects with the error of the first port that is not free. */
  async start(): Promise<void> {
    const { count, profiles, firstPort, host, clock, random } = this.#options
    if (count === 0) return
    const now = clock.now()
    const key = newTlsKey()
    const names = [host, 'localhost']
    const serial = Uint8Array.from([1, ...random.bytes(8)])
    const dates = { notBefore: now - DAY_MS, notAfter: now + 3650 * DAY_MS }
    this.#certificate = selfSigned({ key, commonName: 'RouterOS', names, serial, ...dates })
    const tls = { cert: this.#certificate, key }
    for (let index = 0; index < count; index++) {
      const profile = profiles[index % profiles.length] ?? 'v7.18'
      const ports = firstPort === 0 ? {} : { port: firstPort + 2 * index, tlsPort: firstPort + 2 * index + 1 }
      const users = [{ ...USER, password: this.#password }]
      this.routers.push(await startRouter({ profile, index, clock, random, users, host, tls, ...ports }))
    }
  }

  /** Returns the addresses and logins of all routers. */
  summary(): RouterSummary[] {
    return this.routers.map((router) => ({
      serial: router.serial,
      profile: router.state.profile.name,
      host: this.#options.host,
      port: router.port,
      tlsPort: router.tlsPort,
      user: USER.name,
      password: this.#password,
      certificate: this.#certificate,
    }))
  }

  stop(): void {
    for (const router of this.routers) router.close()
  }
}

/** Returns the profiles that a list names; all of them without one. AppError `invalid` names the one that is none. */
export function readRouterProfiles(text: string | undefined): RouterProfileName[] {
  if (text === undefined) return [...ROUTER_PROFILES]
  return text.split(',').map((part) => {
    const found = ROUTER_PROFILES.find((name) => name === part.trim())
    if (found === undefined)
      throw new AppError('invalid', `--routeros-profiles: "${part}" is none of ${ROUTER_PROFILES.join(', ')}`)
    return found
  })
}
