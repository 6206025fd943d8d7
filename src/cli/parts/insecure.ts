import { type Config, isLoopback } from '../../config/index.ts'
import { certificateSources } from './certificates.ts'

interface Check {
  /** The option that decides it. */
  option: string
  isInsecure(config: Config, flags: Readonly<Record<string, string | undefined>>): boolean
  /** One line: the risk, then what to do. */
  line(config: Config): string
}

const SECRET_FLAGS: Record<string, string> = {
  mongodbUri: '--mongodb-uri',
  secretKey: '--secret-key',
  firstApiKey: '--first-api-key',
  enrolmentSecret: '--enrolment-secret',
  telemetryPassword: '--telemetry-password',
}

/** The settings that make an installation easier to attack, each with what it means and what to do. */
const CHECKS: readonly Check[] = [
  {
    option: '--api-tls',
    isInsecure: (config) => certificateSources(config).api === undefined && !isLoopback(config.apiHost),
    line: ({ apiHost }) =>
      `the API is plain HTTP on ${apiHost}: API keys can be read on the way; only a reverse proxy with TLS may reach it`,
  },
  {
    option: '--api-tls-cert',
    isInsecure: (config) => certificateSources(config).api === 'own',
    line: () =>
      'the API shows a certificate that the server made itself: clients trust it only with own-certificate.pem of ' +
      'the data folder; give one with --api-tls-cert and --api-tls-key',
  },
  {
    option: '--plain-cwmp',
    isInsecure: ({ plainCwmp, host }) => plainCwmp && !isLoopback(host),
    line: () =>
      'CWMP is served without TLS: the credentials that CPE are given can be read on the way; give a certificate with --tls-cert and set --plain-cwmp false',
  },
  {
    option: '--plain-usp',
    isInsecure: (config) => certificateSources(config).usp === undefined && !isLoopback(config.host),
    line: () =>
      'USP is served without TLS: Records can be read and changed on the way; give a certificate with --tls-cert and --tls-key',
  },
  {
    option: '--enrolment',
    isInsecure: ({ enrolment }) => enrolment === 'open',
    line: () => 'every CPE may join over CWMP: set --enrolment credential',
  },
  {
    option: '--agent-admission',
    isInsecure: ({ agentAdmission }) => agentAdmission === 'open',
    line: () =>
      'every USP Agent may join under the identity that it claims: set --agent-admission bound or certificate',
  },
  {
    option: '--re-enrolment',
    isInsecure: ({ reEnrolment }) => reEnrolment === 'bootstrap',
    line: () =>
      'a 0 BOOTSTRAP resets the credential of a device for everyone who knows the enrolment secret: set --re-enrolment operator',
  },
  {
    option: '--allow-basic-over-http',
    isInsecure: ({ allowBasicOverHttp, plainCwmp }) => allowBasicOverHttp && plainCwmp,
    line: () => 'CPE may send their passwords in clear: set --allow-basic-over-http false',
  },
  {
    option: '--mongodb-uri',
    isInsecure: ({ mongodbUri }) => mongodbUri !== undefined && lacksLogin(mongodbUri),
    line: () =>
      'MongoDB is used without a login: everyone who reaches it owns all devices; create a user and name it in MONGODB_URI',
  },
  {
    option: '--api-cors-origins',
    isInsecure: ({ apiCorsOrigins }) =>
      apiCorsOrigins
        ?.split(',')
        .some((origin) => origin.startsWith('http:') && !isLoopback(new URL(origin).hostname)) === true,
    line: () => 'a page that came over plain HTTP may call the API: name https origins in --api-cors-origins',
  },
  {
    option: '--telemetry-plain',
    isInsecure: ({ telemetryUrl, telemetryPlain }) =>
      telemetryPlain && telemetryUrl !== undefined && !/^(mqtts|wss):/.test(telemetryUrl),
    line: () =>
      'telemetry comes from a broker without TLS: it can be read and forged on the way; use mqtts: in --telemetry-url',
  },
  ...Object.entries(SECRET_FLAGS).map(([key, option]) => ({
    option,
    isInsecure: (_: Config, flags: Readonly<Record<string, string | undefined>>) => (flags[key] ?? '') !== '',
    line: () =>
      `${option} is on the command line, where every user of the machine can read it: use its variable, or the one with _FILE`,
  })),
]

/**
 * One line per insecure setting, with the option that decides it. `flags`: the options that stood on the command line,
 * by key.
 */
export function insecureSettings(
  config: Config,
  flags: Readonly<Record<string, string | undefined>> = {},
): { option: string; line: string }[] {
  return CHECKS.filter((check) => check.isInsecure(config, flags)).map(({ option, line }) => ({
    option,
    line: line(config),
  }))
}

/**
 * Returns true for a MongoDB address without a login. One on this machine is accepted, because that is the default of
 * MongoDB.
 */
function lacksLogin(uri: string): boolean {
  const [, login, hosts = ''] = /^mongodb(?:\+srv)?:\/\/(?:([^@/]*)@)?([^/?]*)/.exec(uri) ?? []
  if (login !== undefined || /[?&]authMechanism=MONGODB-X509/.test(uri)) return false
  return hosts.split(',').some((host) => !isLoopback(host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')))
}
