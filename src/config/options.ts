/** How an option's text is read. */
export type OptionType = 'string' | 'port' | 'int' | 'boolean' | 'seconds' | 'choice' | 'url' | 'path' | 'networks'

/** The groups that the options are shown in. */
export type OptionGroup = 'Storage' | 'Listeners' | 'TLS' | 'CWMP' | 'USP' | 'API' | 'Limits and retention' | 'Logging'

/** One row of the option table: the same option as a flag, as a variable and in the README. */
export interface OptionRow {
  /** Key in Config, camelCase. */
  key: string
  /** `--cwmp-port`; the variable is ISTHMUS_CWMP_PORT unless `env` says otherwise. */
  flag: string
  env?: string
  group: OptionGroup
  type: OptionType
  choices?: readonly string[]
  /** As text; undefined: no value unless given. */
  default?: string
  sentence: string
  /** Never printed or logged. */
  secret?: true
  min?: number
  max?: number
  /** Which texts it takes, and how that is said: "takes ...". */
  pattern?: RegExp
  takes?: string
}

/** Every option of the server, in the order of the README. */
export const OPTIONS = [
  {
    key: 'dataDir',
    flag: '--data-dir',
    group: 'Storage',
    type: 'path',
    default: 'data',
    sentence: 'Folder for the embedded database, its engine and the server key.',
  },
  {
    key: 'mongodbUri',
    flag: '--mongodb-uri',
    group: 'Storage',
    env: 'MONGODB_URI',
    type: 'url',
    secret: true,
    sentence: 'MongoDB to use (a replica set in production). Unset: a private database is started in the data folder.',
  },
  {
    key: 'databaseName',
    flag: '--database-name',
    group: 'Storage',
    type: 'string',
    default: 'isthmus',
    pattern: /^[^/\\. "$*<>:|?]{1,63}$/,
    takes: 'a name that MongoDB allows, at most 63 characters',
    sentence: 'Name of the database on that MongoDB.',
  },
  {
    key: 'host',
    flag: '--host',
    group: 'Listeners',
    type: 'string',
    default: '0.0.0.0',
    sentence: 'Address that the CWMP and USP listeners bind to.',
  },
  {
    key: 'apiPort',
    flag: '--api-port',
    group: 'API',
    type: 'port',
    default: '3000',
    sentence: 'Port of the REST API; 0 takes a free one.',
  },
  {
    key: 'apiHost',
    flag: '--api-host',
    group: 'API',
    type: 'string',
    default: '127.0.0.1',
    sentence: 'Address that the REST API binds to; 0.0.0.0 for all addresses of the machine.',
  },
  {
    key: 'apiTls',
    flag: '--api-tls',
    group: 'API',
    type: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    sentence:
      'TLS of the REST API. auto: on, unless --api-host is an address of this machine alone and no certificate of its own is given. Without any certificate the server makes one. off: plain HTTP, for a reverse proxy.',
  },
  {
    key: 'apiTlsCert',
    flag: '--api-tls-cert',
    group: 'API',
    type: 'path',
    sentence: 'PEM file with the certificate chain of the REST API; unset: that of --tls-cert.',
  },
  {
    key: 'apiTlsKey',
    flag: '--api-tls-key',
    group: 'API',
    type: 'path',
    sentence: 'PEM file with the private key for it.',
  },
  {
    key: 'apiCorsOrigins',
    flag: '--api-cors-origins',
    group: 'API',
    type: 'string',
    pattern: /^(https?:\/\/[^\s/,@?#*]+)(,https?:\/\/[^\s/,@?#*]+)*$/,
    takes: 'origins with commas between, such as https://console.example.net',
    sentence: 'Origins of web pages that may call the REST API from a browser, with commas between; unset: none.',
  },
  {
    key: 'cwmpPort',
    flag: '--cwmp-port',
    group: 'CWMP',
    type: 'port',
    default: '7547',
    sentence: 'Port of the CWMP listener (ACS, HTTP); 0 takes a free one.',
  },
  {
    key: 'cwmpsPort',
    flag: '--cwmps-port',
    group: 'CWMP',
    type: 'port',
    default: '7548',
    sentence: 'Port of the CWMP listener over TLS; used when a certificate is given, or plain CWMP is off.',
  },
  {
    key: 'plainCwmp',
    flag: '--plain-cwmp',
    group: 'CWMP',
    type: 'boolean',
    default: 'true',
    sentence: 'Open the CWMP listener without TLS; false leaves the one over TLS alone.',
  },
  {
    key: 'uspPort',
    flag: '--usp-port',
    group: 'USP',
    type: 'port',
    default: '8183',
    sentence:
      'Port of the USP WebSocket listener; with TLS when a certificate is given, else plain. 0 takes a free one.',
  },
  {
    key: 'plainUsp',
    flag: '--plain-usp',
    group: 'USP',
    type: 'boolean',
    default: 'true',
    sentence:
      'Serve USP without TLS while no certificate is given; false: over TLS then, too, with a certificate that the server makes.',
  },
  {
    key: 'uspPath',
    flag: '--usp-path',
    group: 'USP',
    type: 'string',
    default: '/usp',
    pattern: /^\/[^\s?#]*$/,
    takes: 'a path that begins with a slash',
    sentence: 'Path of the USP WebSocket.',
  },
  {
    key: 'uspPublicHost',
    flag: '--usp-public-host',
    group: 'USP',
    type: 'string',
    default: '127.0.0.1',
    pattern: /^[^\s/@]+$/,
    takes: 'a host name or address, without scheme, path or port',
    sentence: 'Host name under which boxes reach the USP listener; a migration writes it into them.',
  },
  {
    key: 'uspPublicPort',
    flag: '--usp-public-port',
    group: 'USP',
    type: 'port',
    sentence: 'Port under which boxes reach the USP listener; default: its own port.',
  },
  {
    key: 'tlsCert',
    flag: '--tls-cert',
    group: 'TLS',
    type: 'path',
    sentence:
      'PEM file with the certificate chain for CWMP, USP and, unless it has its own, the REST API. Read again when it changes and on SIGHUP.',
  },
  { key: 'tlsKey', flag: '--tls-key', group: 'TLS', type: 'path', sentence: 'PEM file with the private key for it.' },
  {
    key: 'tlsClientCa',
    flag: '--tls-client-ca',
    group: 'TLS',
    type: 'path',
    sentence:
      'PEM file with the authorities that sign certificates of boxes: Endpoint IDs are then proven by certificate, and a CPE whose certificate names it (common name OUI-ProductClass-SerialNumber, hyphens within a part written %2D) needs no password.',
  },
  {
    key: 'endpointId',
    flag: '--endpoint-id',
    group: 'USP',
    type: 'string',
    default: 'proto::isthmus',
    pattern: /^[a-z]+:[^:\s]*:\S{1,50}$/,
    takes: 'scheme:authority:instance as in TR-369 2.2',
    sentence: 'Endpoint ID of this USP Controller; in production one with your OUI, such as oui:00256D:controller.',
  },
  {
    key: 'secretKey',
    flag: '--secret-key',
    group: 'Storage',
    type: 'string',
    secret: true,
    sentence:
      'Key that seals device credentials in the database. Unset: made at first start and kept in the data folder. All instances need the same.',
  },
  {
    key: 'enrolment',
    flag: '--enrolment',
    group: 'CWMP',
    type: 'choice',
    choices: ['closed', 'credential', 'open'],
    default: 'credential',
    sentence:
      'Which unknown CPE may join over CWMP: none, those with the enrolment secret (or their own credential), or all.',
  },
  {
    key: 'firstApiKey',
    flag: '--first-api-key',
    group: 'API',
    type: 'string',
    secret: true,
    sentence:
      'API key that the first start stores, of the form isthmus_<id>_<secret>. Unset: one is made, shown once on a terminal, else written to first-api-key in the data folder. Without effect where there are keys already.',
  },
  {
    key: 'enrolmentSecret',
    flag: '--enrolment-secret',
    group: 'CWMP',
    type: 'string',
    secret: true,
    sentence:
      'Shared CWMP password of boxes that have no credential of their own yet. Unset: made at first start and kept in the data folder. All instances need the same.',
  },
  {
    key: 'enrolmentUsername',
    flag: '--enrolment-username',
    group: 'CWMP',
    type: 'string',
    sentence:
      'User name that boxes may send with the enrolment secret, besides the names TR-069 gives them (OUI-ProductClass-SerialNumber).',
  },
  {
    key: 'reEnrolment',
    flag: '--re-enrolment',
    group: 'CWMP',
    type: 'choice',
    choices: ['operator', 'bootstrap'],
    default: 'operator',
    sentence:
      'Who lets a box that has its own credential and lost it in a reset use the enrolment secret again: a person (POST /devices/{id}/release-credential), or its 0 BOOTSTRAP, which trusts whoever knows that secret.',
  },
  {
    key: 'agentAdmission',
    flag: '--agent-admission',
    group: 'USP',
    type: 'choice',
    choices: ['certificate', 'bound', 'open'],
    default: 'bound',
    sentence:
      'Which USP Agents may join: those alone whose client certificate carries their Endpoint ID, also those whose Endpoint ID is bound (read over CWMP, operator), or also those that only claim an identity. The others are listed (GET /pending-agents).',
  },
  {
    key: 'allowBasicOverHttp',
    flag: '--allow-basic-over-http',
    group: 'CWMP',
    type: 'boolean',
    default: 'false',
    sentence: 'Accept Basic authentication of CPE without TLS.',
  },
  {
    key: 'digestAlgorithms',
    flag: '--digest-algorithms',
    group: 'CWMP',
    type: 'choice',
    choices: ['md5,sha-256', 'sha-256,md5', 'md5', 'sha-256'],
    default: 'md5,sha-256',
    sentence:
      'Algorithms of the Digest challenges to a CPE, in the order in which they are offered. Some CPE look at the first challenge only and know MD5 alone.',
  },
  {
    key: 'maxInformKb',
    flag: '--max-inform-kb',
    group: 'Limits and retention',
    type: 'int',
    default: '256',
    min: 64,
    max: 1024,
    sentence: 'Largest Inform in kilobytes, unpacked; what a CPE sends after it may be 16 MB.',
  },
  {
    key: 'trustedProxies',
    flag: '--trusted-proxies',
    group: 'CWMP',
    type: 'networks',
    sentence:
      'Addresses or networks (with commas between) of proxies before the CWMP and USP listeners whose X-Forwarded-For is believed. Limits per address count the device then, not the proxy.',
  },
  {
    key: 'connectionRequestNetworks',
    flag: '--connection-request-networks',
    group: 'CWMP',
    type: 'networks',
    sentence:
      'Addresses or networks (with commas between) in which a CPE may be sent connection requests, besides at the address it came from.',
  },
  {
    key: 'informIntervalS',
    flag: '--inform-interval',
    group: 'CWMP',
    type: 'seconds',
    default: '3600',
    min: 30,
    max: 604_800,
    sentence: 'PeriodicInformInterval that is set on a CPE at its first contact.',
  },
  {
    key: 'discovery',
    flag: '--discovery',
    group: 'CWMP',
    type: 'choice',
    choices: ['none', 'walk', 'subtree'],
    default: 'walk',
    sentence:
      'How the tree of a CPE is read at first contact and after a firmware change: not at all, level by level, or subtree by subtree.',
  },
  {
    key: 'periodicNotifIntervalS',
    flag: '--periodic-notif-interval',
    group: 'USP',
    type: 'seconds',
    default: '300',
    min: 5,
    max: 86_400,
    sentence: 'PeriodicNotifInterval that is set on a USP Agent.',
  },
  {
    key: 'maxSessions',
    flag: '--max-sessions',
    group: 'Limits and retention',
    type: 'int',
    default: '5000',
    min: 1,
    max: 100_000,
    sentence: 'CWMP sessions at once; above it a CPE gets 503 with Retry-After.',
  },
  {
    key: 'maxDevicesPerAddress',
    flag: '--max-devices-per-address',
    group: 'Limits and retention',
    type: 'int',
    default: '2000',
    min: 1,
    max: 100_000,
    sentence:
      'CWMP sessions at once of one address (IPv6: of one network of 64 bits), and as many USP links; devices behind carrier-grade NAT share one. Loopback addresses are not counted.',
  },
  {
    key: 'maxLinks',
    flag: '--max-links',
    group: 'Limits and retention',
    type: 'int',
    default: '20000',
    min: 1,
    max: 200_000,
    sentence: 'USP links at once.',
  },
  {
    key: 'eventRetentionDays',
    flag: '--event-retention-days',
    group: 'Limits and retention',
    type: 'int',
    default: '14',
    min: 1,
    max: 365,
    sentence: 'How long events are kept.',
  },
  {
    key: 'operationRetentionDays',
    flag: '--operation-retention-days',
    group: 'Limits and retention',
    type: 'int',
    default: '30',
    min: 1,
    max: 3650,
    sentence: 'How long finished operations are kept.',
  },
  {
    key: 'logLevel',
    flag: '--log-level',
    group: 'Logging',
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    sentence:
      'Which log lines are written (JSON, one per line); debug follows every session RPC by RPC and every link Message by Message.',
  },
] as const satisfies readonly OptionRow[]

type Row = (typeof OPTIONS)[number]
type ValueOf<R> = R extends { type: 'int' | 'port' | 'seconds' }
  ? number
  : R extends { type: 'boolean' }
    ? boolean
    : R extends { choices: readonly (infer C)[] }
      ? C
      : string
type Required<R> = R extends { default: string } ? R : never
type Optional<R> = R extends { default: string } ? never : R

/** The frozen, typed configuration: options with a default always have a value. */
export type Config = Readonly<
  { [R in Required<Row> as R['key']]: ValueOf<R> } & { [R in Optional<Row> as R['key']]?: ValueOf<R> }
>

/** The environment variable of an option. */
export function variableOf(row: OptionRow): string {
  return row.env ?? `ISTHMUS_${row.flag.slice(2).replaceAll('-', '_').toUpperCase()}`
}
