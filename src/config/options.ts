import type { OptionRow, ValuesOf } from './option-row.ts'
import { TELEMETRY_OPTIONS } from './telemetry-options.ts'

/** The groups that the options of the server are shown in. */
type OptionGroup =
  | 'Storage'
  | 'Listeners'
  | 'TLS'
  | 'CWMP'
  | 'USP'
  | 'API'
  | 'Telemetry'
  | 'Limits and retention'
  | 'Logging'

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
      'TLS of the REST API. auto: on, unless --api-host is an address of this machine alone and no certificate of ' +
      'its own is given. Without any certificate the server makes one. off: plain HTTP, for a reverse proxy.',
  },
  {
    key: 'apiTlsCert',
    flag: '--api-tls-cert',
    group: 'API',
    type: 'path',
    sentence:
      'PEM file with the certificate chain of the REST API; unset: that of --tls-cert, where --api-tls gives the API TLS.',
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
    key: 'cwmpPublicUrl',
    flag: '--cwmp-public-url',
    group: 'CWMP',
    type: 'string',
    pattern: /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
    takes: 'an address such as https://acs.example.net:7548',
    sentence:
      'Address under which CPE reach the CWMP listener, for the files that they fetch from it; unset: the one under ' +
      'which each CPE has come. Behind a proxy with TLS it is needed, unless the proxy sends X-Forwarded-Proto.',
  },
  {
    key: 'routerPackageUrls',
    flag: '--router-package-urls',
    group: 'CWMP',
    type: 'string',
    pattern: /^https?:\/\/[^\s/?#@,%\\]+\/([^\s?#,%\\]*\/)?(,https?:\/\/[^\s/?#@,%\\]+\/([^\s?#,%\\]*\/)?)*$/,
    takes: 'URLs that end in a slash, with commas between, such as https://packages.example.net/routeros/',
    sentence:
      'Places from which MikroTik routers may load packages of RouterOS over CWMP (verb upgrade), with commas between; unset: none.',
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
    sentence: 'Host name under which devices reach the USP listener; a migration writes it into them.',
  },
  {
    key: 'uspPublicPort',
    flag: '--usp-public-port',
    group: 'USP',
    type: 'port',
    sentence: 'Port under which devices reach the USP listener; default: its own port.',
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
      'PEM file with the authorities that sign certificates of devices: Endpoint IDs are then proven by certificate, ' +
      'and a CPE whose certificate names it (common name OUI-ProductClass-SerialNumber, hyphens within a part ' +
      'written %2D) needs no password.',
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
      'Unknown CPE that may join over CWMP: none, those with the enrolment secret (or their own credential), or all.',
  },
  {
    key: 'firstApiKey',
    flag: '--first-api-key',
    group: 'API',
    type: 'string',
    secret: true,
    sentence:
      'API key that the first start stores, of the form isthmus_<id>_<secret>. Unset: ' +
      'one is made, shown once on a terminal, else written to first-api-key in the data folder. ' +
      'Without effect where there are keys already.',
  },
  {
    key: 'enrolmentSecret',
    flag: '--enrolment-secret',
    group: 'CWMP',
    type: 'string',
    secret: true,
    sentence:
      'Shared CWMP password of devices that have no credential of their own yet. ' +
      'Unset: made at first start and kept in the data folder. All instances need the same.',
  },
  {
    key: 'enrolmentUsername',
    flag: '--enrolment-username',
    group: 'CWMP',
    type: 'string',
    sentence:
      'User name that CPE may send with the enrolment secret, besides the names TR-069 gives them (OUI-ProductClass-SerialNumber).',
  },
  {
    key: 'reEnrolment',
    flag: '--re-enrolment',
    group: 'CWMP',
    type: 'choice',
    choices: ['operator', 'bootstrap'],
    default: 'operator',
    sentence:
      'Permission for a device that lost its own credential in a reset to use the enrolment secret again: ' +
      'by an operator (POST /devices/{id}/release-credential), or by its 0 BOOTSTRAP, which trusts everybody who ' +
      'knows that secret.',
  },
  {
    key: 'agentAdmission',
    flag: '--agent-admission',
    group: 'USP',
    type: 'choice',
    choices: ['certificate', 'bound', 'open'],
    default: 'bound',
    sentence:
      'USP Agents that may join: those alone whose client certificate carries their Endpoint ID, also those whose ' +
      'Endpoint ID is bound (read over CWMP, operator), or also those that only claim an identity. ' +
      'The others are listed (GET /pending-agents).',
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
      'Addresses or networks (with commas between) of proxies before the CWMP and USP listeners whose ' +
      'X-Forwarded-For is believed. Limits per address count the device then, not the proxy.',
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
    default: 'subtree',
    sentence:
      'Discovery of the tree of a CPE at first contact and after a firmware change: none, level by level, or as much at once as it takes.',
  },
  {
    key: 'factRefresh',
    flag: '--fact-refresh',
    group: 'CWMP',
    type: 'string',
    pattern: /^(never|(wan|optical|wifi|lan|system)=(\d{1,7}|never)(,(wan|optical|wifi|lan|system)=(\d{1,7}|never))*)$/,
    takes: 'takes never, or groups with seconds such as optical=900,lan=never',
    sentence:
      'Ages in seconds at which the live facts of a device are read again while it is in contact, by group (wan, optical, wifi, lan, system), or never.',
  },
  {
    key: 'mappingRows',
    flag: '--mapping-rows',
    group: 'CWMP',
    type: 'string',
    sentence:
      'Files with sets of mapping rows, with commas between: JSON, or one set on each line (.ndjson). Read again on SIGHUP; ' +
      'all instances need the same.',
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
  ...TELEMETRY_OPTIONS,
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
      'CWMP sessions at once of one address (IPv6: of one network of 64 bits), and as many USP links; ' +
      'devices behind carrier-grade NAT share one. Loopback addresses are not counted.',
  },
  {
    key: 'maxNewDevicesPerHour',
    flag: '--max-new-devices-per-hour',
    group: 'Limits and retention',
    type: 'int',
    default: '20000',
    min: 0,
    max: 10_000_000,
    sentence:
      'Devices that may be registered in an hour by the enrolment secret alone, or by a claim where that is enough; more get 503 and come later. 0: no limit.',
  },
  {
    key: 'maxDevices',
    flag: '--max-devices',
    group: 'Limits and retention',
    type: 'int',
    default: '1000000',
    min: 0,
    max: 100_000_000,
    sentence: 'Devices above which none is registered that has no certificate or credential of its own. 0: no limit.',
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
    sentence: 'Days for which events are kept.',
  },
  {
    key: 'operationRetentionDays',
    flag: '--operation-retention-days',
    group: 'Limits and retention',
    type: 'int',
    default: '30',
    min: 1,
    max: 3650,
    sentence: 'Days for which finished operations are kept.',
  },
  {
    key: 'logLevel',
    flag: '--log-level',
    group: 'Logging',
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    sentence:
      'Log lines that are written (JSON, one per line); debug follows every session RPC by RPC and every link Message by Message.',
  },
] as const satisfies readonly (OptionRow & { group: OptionGroup })[]

/** The frozen, typed configuration of the server. */
export type Config = ValuesOf<typeof OPTIONS>
