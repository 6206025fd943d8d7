import { describe, expect, it } from 'vitest'
import { type Device, deviceIdOf, newDevice } from '../../../src/device/index.ts'
import { assess } from '../../../src/planner/index.ts'

const IDENTITY = { oui: '0C96BF', productClass: 'Box', serial: '1' }
const ENDPOINT = { path: 'Device.USPAgent.EndpointID', value: 'os::0C96BF-1' }
const speaks = (value: string) => ({ path: 'Device.USPAgent.SupportedProtocols', value })

function device(facts: Partial<Device>): Device {
  return { ...newDevice(deviceIdOf(IDENTITY), IDENTITY, 'cwmp', 0), ...facts }
}

describe('readiness', () => {
  const cases: [string, Partial<Device>, Parameters<typeof assess>[1], string, RegExp][] = [
    [
      'an Agent with WebSocket',
      { root: 'Device.' },
      { parameters: [ENDPOINT, speaks('MQTT,WebSocket')], asked: true },
      'READY_STANDARD',
      /os::0C96BF-1/,
    ],
    [
      'an Agent that does not tell its protocols',
      { root: 'Device.' },
      { parameters: [ENDPOINT], asked: true },
      'READY_STANDARD',
      /os::/,
    ],
    [
      'an Agent without WebSocket',
      { root: 'Device.' },
      { parameters: [ENDPOINT, speaks('MQTT, STOMP')], asked: true },
      'NEEDS_DATA_MODEL',
      /MQTT, STOMP/,
    ],
    [
      'an empty Endpoint ID',
      { root: 'Device.' },
      { parameters: [{ ...ENDPOINT, value: '' }], asked: true },
      'NEEDS_DATA_MODEL',
      /empty/,
    ],
    ['TR-098', { root: 'InternetGatewayDevice.' }, { parameters: [], asked: false }, 'NEEDS_DATA_MODEL', /TR-098/],
    [
      'a box that was asked and has none',
      { root: 'Device.' },
      { parameters: [], asked: true },
      'NEEDS_DATA_MODEL',
      /no Device\.USPAgent/,
    ],
    [
      'an older data model, not asked',
      { root: 'Device.', dataModelVersion: '2.9' },
      { parameters: [], asked: false },
      'NEEDS_DATA_MODEL',
      /2\.9 is older than 2\.15/,
    ],
    [
      '2.15 is not older than 2.15',
      { root: 'Device.', dataModelVersion: '2.15' },
      { parameters: [], asked: false },
      'UNKNOWN',
      /not read/,
    ],
    ['nothing known', {}, { parameters: [], asked: false }, 'UNKNOWN', /not read/],
    [
      'MikroTik by name',
      { manufacturer: 'MikroTik', root: 'Device.' },
      { parameters: [ENDPOINT], asked: true },
      'BRIDGE_ONLY',
      /RouterOS/,
    ],
    [
      'MikroTik by its address block',
      { oui: '48A98A', manufacturer: 'ISP Box' },
      { parameters: [], asked: false },
      'BRIDGE_ONLY',
      /RouterOS/,
    ],
  ]
  it.each(cases)('%s', (_name, facts, evidence, expected, reason) => {
    const found = assess(device(facts), evidence, 42)
    expect(found).toMatchObject({ class: expected, at: 42 })
    expect(found.reasons.join()).toMatch(reason)
  })
})
