import { X509Certificate } from 'node:crypto'
import { AppError, type Clock, type Random, randomToken } from '../base/index.ts'
import { newTlsKey, selfSigned } from '../pki/index.ts'
import {
  type EmulatedRouter,
  ROUTER_PROFILES,
  RouterLife,
  type RouterProfileName,
  startRouter,
} from './routeros/index.ts'
import { scaledClock } from './scaled-clock.ts'

interface RouterFleetOptions {
  count: number
  /** Dealt out in turn. */
  profiles: readonly RouterProfileName[]
  /** Of the API of the first router; 0: any that are free. */
  firstPort: number
  host: string
  /** Waits of the life around the routers are divided by it. */
  timeScale: number
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
  /** SHA-256 of the certificate of the API over TLS, hex with colons. */
  fingerprint: string
  sshPort: number
  /** SHA-256 of the host key, as OpenSSH shows it. */
  sshHostKey: string
  snmpPort: number
  /** Of SNMP v2c. */
  community: string
}

/** The account of a bridge: nothing that its work does not need. */
const USER = { name: 'bridge', group: ['api', 'ssh', 'read', 'write', 'test', 'reboot', 'sensitive'] }
const DAY_MS = 86_400_000

/** Emulated routers in one process. */
export class RouterFleet {
  readonly routers: EmulatedRouter[] = []
  readonly #lives: RouterLife[] = []
  readonly #options: RouterFleetOptions
  readonly #password: string
  readonly #community: string
  #fingerprint = ''

  constructor(options: RouterFleetOptions) {
    this.#options = options
    this.#password = randomToken(options.random, 12)
    this.#community = randomToken(options.random, 12)
  }

  /** Starts all routers; rejects with the error of the first port that is not free. */
  async start(): Promise<void> {
    const { count, profiles, firstPort, host, timeScale, clock, random } = this.#options
    const lifeClock = scaledClock(clock, timeScale)
    if (count === 0) return
    const now = clock.now()
    const key = newTlsKey()
    const names = [host, 'localhost']
    const serial = Uint8Array.from([1, ...random.bytes(8)])
    const dates = { notBefore: now - DAY_MS, notAfter: now + 3650 * DAY_MS }
    const cert = selfSigned({ key, commonName: 'RouterOS', names, serial, ...dates })
    this.#fingerprint = new X509Certificate(cert).fingerprint256
    const shared = { clock, random, host, tls: { cert, key }, ssh: true, snmp: { community: this.#community } }
    for (let n = 0; n < count; n++) {
      const profile = profiles[n % profiles.length] ?? 'v7.18'
      // The n-th router of a profile is the n-th simulated CPE of its family, too.
      const index = this.routers.filter(({ state }) => state.profile.name === profile).length
      const ports = firstPort === 0 ? {} : portsFrom(firstPort + PORTS_EACH * n)
      const users = [{ ...USER, password: this.#password }]
      const router = await startRouter({ ...shared, profile, index, users, ...ports })
      const life = new RouterLife(router, lifeClock, random)
      life.start()
      this.routers.push(router)
      this.#lives.push(life)
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
      fingerprint: this.#fingerprint,
      sshPort: router.sshPort,
      sshHostKey: router.sshHostKey,
      snmpPort: router.snmpPort,
      community: this.#community,
    }))
  }

  /** Returns the table of routers that `isthmus bridge` takes: the API over TLS, known by its fingerprint. */
  table(): string {
    const lines = this.summary().map(({ profile, host, tlsPort, user, password, fingerprint, serial }) =>
      [host, tlsPort, 'api-ssl', user, password, fingerprint, 'L2', `${profile} ${serial}`].join(','),
    )
    return ['address,port,transport,username,password,fingerprint,policy,tags', ...lines, ''].join('\n')
  }

  stop(): void {
    for (const life of this.#lives) life.stop()
    for (const router of this.routers) router.close()
  }
}

const PORTS_EACH = 4

function portsFrom(first: number) {
  return { port: first, tlsPort: first + 1, sshPort: first + 2, snmpPort: first + 3 }
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
