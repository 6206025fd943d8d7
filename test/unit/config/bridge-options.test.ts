import { expect, it } from 'vitest'
import { readBridgeOptions } from '../../../src/config/index.ts'

it('takes flags before variables before defaults', () => {
  const env = { ISTHMUS_BRIDGE_TOKEN: 'secret', ISTHMUS_BRIDGE_HEALTH_PORT: '1234', ISTHMUS_API_PORT: '1' }
  expect(readBridgeOptions({ server: 'https://example.net', healthPort: '99' }, env)).toMatchObject({
    server: 'https://example.net',
    token: 'secret',
    healthPort: 99,
    stateDir: 'bridge-state',
    uspTls: true,
  })
})

it.each([
  [{}, {}, /either --server.*or --routers/],
  [{ server: 'https://a', routers: 'r.csv', controllerId: 'proto::c' }, {}, /either --server.*or --routers/],
  [{ routers: 'r.csv' }, {}, /needs --controller-id/],
  [{ routers: 'r.csv', controllerId: 'none' }, {}, /scheme:authority:instance/],
  [{ server: 'https://a', mqttUrl: 'mqtt://broker.example' }, {}, /needs mqtts: or wss:/],
  [{ server: 'https://a', mqttUrl: 'mqtts://user:secret@broker.example' }, {}, /mqtts:\/\/broker/],
  [{ server: 'https://a', mqttUrl: 'mqtts://a:99999' }, {}, /--mqtt-url is no address/],
  [{ server: 'https://a', mqttCert: 'c.pem' }, {}, /--mqtt-cert and --mqtt-key/],
  [{ server: 'https://a', mqttPrefix: 'a/+/b' }, {}, /levels of letters/],
  [{ server: 'https://a' }, { ISTHMUS_BRIDGE_TOKEM: 'x' }, /ISTHMUS_BRIDGE_TOKEM is not an option/],
  [{ server: 'https://a', healthPort: '70000' }, {}, /--health-port \(ISTHMUS_BRIDGE_HEALTH_PORT\)/],
])('refuses %j with %j', (flags, env, message) => {
  expect(() => readBridgeOptions(flags, env)).toThrow(message)
})

it.each([
  { mqttUrl: 'mqtts://broker.example:8883' },
  { mqttUrl: 'mqtt://127.0.0.1:1883' },
  { mqttUrl: 'mqtt://broker.example', allowPlainMqtt: 'true' },
])('takes %j, also for routers that have no Controller', (flags) => {
  expect(readBridgeOptions({ routers: 'r.csv', ...flags }, {})).toMatchObject({ mqttUrl: flags.mqttUrl })
})
