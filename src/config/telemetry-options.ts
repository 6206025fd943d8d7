import type { OptionRow } from './option-row.ts'

/** Options of the server for the telemetry that bridges publish over MQTT. */
export const TELEMETRY_OPTIONS = [
  {
    key: 'telemetryUrl',
    flag: '--telemetry-url',
    group: 'Telemetry',
    type: 'string',
    pattern: /^(mqtts?|wss?):\/\/[^\s/@]+(\/[^\s@]*)?$/,
    takes: 'an address such as mqtts://broker.example.net:8883',
    sentence:
      'Broker of MQTT 3.1.1 or 5 at which bridges publish their routers: telemetry is taken into records, events into the feed. Unset: none is.',
  },
  {
    key: 'telemetryUsername',
    flag: '--telemetry-username',
    group: 'Telemetry',
    type: 'string',
    sentence: 'User name at the broker.',
  },
  {
    key: 'telemetryPassword',
    flag: '--telemetry-password',
    group: 'Telemetry',
    type: 'string',
    secret: true,
    sentence: 'Its password; better in the variable, or in a file that ISTHMUS_TELEMETRY_PASSWORD_FILE names.',
  },
  {
    key: 'telemetryCa',
    flag: '--telemetry-ca',
    group: 'Telemetry',
    type: 'path',
    sentence: 'PEM file with certificates by which the broker is trusted, in place of those of the system.',
  },
  {
    key: 'telemetryCert',
    flag: '--telemetry-cert',
    group: 'Telemetry',
    type: 'path',
    sentence: 'PEM file with the certificate that the server shows to the broker.',
  },
  {
    key: 'telemetryKey',
    flag: '--telemetry-key',
    group: 'Telemetry',
    type: 'path',
    sentence: 'PEM file with its private key.',
  },
  {
    key: 'telemetryClientId',
    flag: '--telemetry-client-id',
    group: 'Telemetry',
    type: 'string',
    pattern: /^[A-Za-z0-9_-]{1,64}$/,
    takes: '1 to 64 letters, digits, _ and -',
    sentence:
      'Client identifier, of this installation alone: the broker then keeps events and responses while the server is ' +
      'away. Unset: a new one at each start, and what comes meanwhile is lost.',
  },
  {
    key: 'telemetryPrefix',
    flag: '--telemetry-prefix',
    group: 'Telemetry',
    type: 'string',
    default: 'network/mikrotik',
    pattern: /^(?=.{1,96}$)[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/,
    takes: 'levels of letters, digits, _ and - with slashes between',
    sentence: 'Beginning of all topics; each bridge publishes below it with the prefix <this>/<id of the bridge>.',
  },
  {
    key: 'telemetryVersion',
    flag: '--telemetry-version',
    group: 'Telemetry',
    type: 'choice',
    choices: ['auto', '5', '3.1.1'],
    default: 'auto',
    sentence: 'Version of MQTT; auto takes 5, and 3.1.1 at a broker that knows no other.',
  },
  {
    key: 'telemetryPlain',
    flag: '--telemetry-plain',
    group: 'Telemetry',
    type: 'boolean',
    default: 'false',
    sentence: 'Allow a broker on another machine without TLS: whoever is on the way can forge telemetry.',
  },
] as const satisfies readonly OptionRow[]
