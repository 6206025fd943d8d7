import { describe, expect, it } from 'vitest'
import { type BridgeRouter, type Device, deviceIdOf, newDevice, type RouterState } from '../../../src/domain/index.ts'
import { assess } from '../../../src/planner/index.ts'
import { bearsOnReadiness, judge, sameReadiness } from '../../../src/planner/readiness/readiness.ts'

const IDENTITY = { oui: '0C96BF', productClass: 'CPE', serial: '1' }
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
      /Endpoint ID of an Agent/,
    ],
    [
      'an Agent that does not tell its protocols',
      { root: 'Device.' },
      { parameters: [ENDPOINT], asked: true },
      'READY_STANDARD',
      /Endpoint ID of an Agent/,
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
    [
      'a text in the place of the Endpoint ID',
      { root: 'Device.' },
      { parameters: [{ ...ENDPOINT, value: 'N/A' }], asked: true },
      'NEEDS_DATA_MODEL',
      /"N\/A" is no Endpoint ID/,
    ],
    [
      'blanks around the Endpoint ID',
      { root: 'Device.' },
      { parameters: [{ ...ENDPOINT, value: ' os::0C96BF-1 ' }], asked: true },
      'READY_STANDARD',
      /Endpoint ID of an Agent/,
    ],
    ['TR-098', { root: 'InternetGatewayDevice.' }, { parameters: [], asked: false }, 'NEEDS_DATA_MODEL', /TR-098/],
    [
      'a device that was asked and has none',
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
      { oui: '48A98A', manufacturer: 'ISP Device' },
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

describe('a router behind a bridge', () => {
  const cpe = { manufacturer: 'MikroTik', productClass: 'hAP ac^2', oui: 'E48D8C' }
  const own = device(cpe)
  const state = (more: Partial<RouterState> = {}): RouterState => ({
    reachable: true,
    identity: { oui: '48A98A', productClass: 'RBD52G-5HacD2HnD', serial: own.serial, endpointId: 'os::48A98A-1' },
    missingRights: [],
    revision: 1,
    reportedAt: 1,
    ...more,
  })
  const row = (id: string, reported?: RouterState) =>
    ({ id, bridgeId: 'b1', ...(reported === undefined ? {} : { state: reported }) }) as BridgeRouter
  const judged = (routers: BridgeRouter[], facts: Partial<Device> = cpe) => judge(device(facts), [], 1, routers)

  it('is ready when one reaches it whose account has the rights, whatever it calls its model', () => {
    const found = judged([
      row('r1', state({ reachable: false })),
      row('r2', state({ unfit: true })),
      row('r3', state()),
    ])
    expect(found).toMatchObject({ class: 'READY_BRIDGE', evidence: { bridgeId: 'b1', routerId: 'r3' } })
  })

  it.each([
    ['none has it', [], /no bridge has reached it/],
    ['none has found its identity', [row('r1')], /no bridge has reached it/],
    ['it is not reached', [row('r1', state({ reachable: false }))], /does not reach it now/],
    ['the account lacks rights', [row('r1', state({ unfit: true }))], /lacks rights/],
    [
      'another router has another serial number',
      [row('r1', { ...state(), identity: { oui: '48A98A', productClass: '', serial: 'other', endpointId: 'os::1' } })],
      /no bridge has reached it/,
    ],
  ])('is not ready when %s', (_name, routers, reason) => {
    const found = judged(routers)
    expect(found.class).toBe('BRIDGE_ONLY')
    expect(found.reasons.join('; ')).toMatch(reason)
  })

  it('is a router of MikroTik: a device of another maker with its serial number is not', () => {
    expect(judged([row('r1', state())], { manufacturer: 'Acme', root: 'InternetGatewayDevice.' }).class).toBe(
      'NEEDS_DATA_MODEL',
    )
  })
})

describe('the record of a device', () => {
  const asked = (discoveredFor: string, facts: Partial<Device> = {}) =>
    judge(
      device({ root: 'Device.', cwmp: { lastInformAt: 1, events: [], version: '1.4', discoveredFor }, ...facts }),
      [],
      1,
    ).class

  it('has asked for an Agent when it was discovered under the firmware that it has now', () => {
    expect(asked('1.0', { softwareVersion: '1.0' })).toBe('NEEDS_DATA_MODEL')
    expect(asked('?', { softwareVersion: '1.0' })).toBe('NEEDS_DATA_MODEL')
    expect(asked('1.0')).toBe('NEEDS_DATA_MODEL')
    expect(asked('', { softwareVersion: '1.0' })).toBe('UNKNOWN')
    expect(asked('1.0', { softwareVersion: '2.0' })).toBe('UNKNOWN')
  })

  it('remembers that a plan has asked, until the firmware is another one', () => {
    const before = device({ root: 'Device.', softwareVersion: '1.0' })
    const readiness = assess(before, { parameters: [], asked: true }, 1)
    expect(judge({ ...before, readiness }, [], 2).class).toBe('NEEDS_DATA_MODEL')
    expect(judge({ ...before, softwareVersion: '2.0', readiness }, [], 2).class).toBe('UNKNOWN')
  })

  it('changes its readiness only with what readiness is judged by', () => {
    const { id: deviceId } = device({})
    const of = (change: Omit<Parameters<typeof bearsOnReadiness>[0], 'deviceId'>) =>
      bearsOnReadiness({ deviceId, ...change })
    const write = { value: '', type: 'string', source: 'cwmp', collectedAt: 1 } as const
    expect(of({ create: device({}) })).toBe(true)
    expect(of({ set: { softwareVersion: '2' } })).toBe(true)
    expect(of({ set: { 'cwmp.discoveredFor': '2' } })).toBe(true)
    expect(of({ parameters: [{ path: 'Device.USPAgent.EndpointID', ...write }] })).toBe(true)
    expect(of({ dropParameters: ['Device.USPAgent.SupportedProtocols'] })).toBe(true)
    expect(of({ dropSubtrees: ['Device.'] })).toBe(true)
    expect(of({ set: { 'cwmp.lastInformAt': 5, 'cwmp.events': ['2 PERIODIC'], upTimeS: 5 } })).toBe(false)
    expect(of({ set: { owner: 'usp', migration: { planId: 'p', state: 'DUAL', at: 1 } } })).toBe(false)
    expect(of({ parameters: [{ path: 'Device.USPAgent.Controller.1.EndpointID', ...write }] })).toBe(false)
    expect(of({ dropSubtrees: ['Device.USPAgent.Controller.'] })).toBe(false)
  })

  it('keeps a readiness with the same content, also when it was judged at another time', () => {
    const readiness = assess(device({ root: 'Device.' }), { parameters: [ENDPOINT], asked: true }, 1)
    expect(sameReadiness(readiness, { ...readiness, at: 2 })).toBe(true)
    expect(sameReadiness(undefined, readiness)).toBe(false)
    expect(sameReadiness(readiness, { ...readiness, class: 'UNKNOWN' })).toBe(false)
    expect(sameReadiness(readiness, { ...readiness, reasons: ['other'] })).toBe(false)
    expect(sameReadiness(readiness, { ...readiness, evidence: {} })).toBe(false)
  })
})
