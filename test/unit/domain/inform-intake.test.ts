import { describe, expect, it } from 'vitest'
import {
  applyPatch,
  cwmpPresence,
  type Device,
  type InformFacts,
  informChange,
  uspPresence,
} from '../../../src/domain/index.ts'

const inform = (changes: Partial<InformFacts> = {}): InformFacts => ({
  identity: { oui: '00256d', productClass: 'Box', serial: 'S1' },
  manufacturer: 'Acme',
  events: [{ code: '2 PERIODIC', commandKey: '' }],
  parameters: [
    { name: 'Device.DeviceInfo.SoftwareVersion', value: '1.10.2', type: 'string' },
    { name: 'Device.ManagementServer.ParameterKey', value: '(null)', type: 'string' },
    { name: 'Device.ManagementServer.ConnectionRequestURL', value: 'http://127.0.0.1:7547/x', type: 'string' },
  ],
  version: '1.2',
  ...changes,
})

function known(): Device {
  const change = informChange(undefined, inform({ events: [{ code: '0 BOOTSTRAP', commandKey: '' }] }), 100)
  return change.create!
}

describe('the login inside a connection request URL', () => {
  it('is kept neither in the facts of the record, nor in its tree, nor in events', () => {
    const name = 'Device.ManagementServer.ConnectionRequestURL'
    const parameters = [{ name, value: 'http://user:pw@192.0.2.1:7547/x', type: 'string' as const }]
    const events = [{ code: '4 VALUE CHANGE', commandKey: '' }]
    const change = informChange(known(), inform({ parameters, events }), 200)
    expect(change.set?.['cwmp.connectionRequestUrl']).toBe('http://192.0.2.1:7547/x')
    expect(change.parameters).toMatchObject([{ path: name, value: 'http://[secret]@192.0.2.1:7547/x' }])
    expect(JSON.stringify([change, informChange(undefined, inform({ parameters, events }), 200)])).not.toContain('pw')
  })
})

describe('the model', () => {
  it('is the ProductClass until the device tells a ModelName', () => {
    const device = known()
    expect(device.model).toBe('Box')
    const parameters = [{ name: 'Device.DeviceInfo.ModelName', value: 'Hub 7', type: 'string' as const }]
    expect(informChange(device, inform({ parameters }), 200).set?.model).toBe('Hub 7')
    expect(informChange(undefined, inform({ parameters }), 200).create?.model).toBe('Hub 7')
  })
})

describe('informChange', () => {
  it('creates the record at first contact, with facts, events and the parameters', () => {
    const change = informChange(
      undefined,
      inform({
        events: [
          { code: '0 BOOTSTRAP', commandKey: '' },
          { code: '1 BOOT', commandKey: '' },
        ],
      }),
      100,
    )
    expect(change.create).toMatchObject({
      id: '00256D-Box-S1',
      oui: '00256D',
      owner: 'cwmp',
      root: 'Device.',
      manufacturer: 'Acme',
      softwareVersion: '1.10.2',
      cwmp: { lastInformAt: 100, lastBootstrapAt: 100, lastBootAt: 100, parameterKey: '', version: '1.2' },
    })
    expect(change.events?.map((event) => event.type)).toEqual([
      'device.registered',
      'device.bootstrapped',
      'device.booted',
    ])
    expect(change.parameters).toHaveLength(3)
  })

  it('takes the events of a failed session that are told again for the boot it knows', () => {
    const boot = ['0 BOOTSTRAP', '1 BOOT'].map((code) => ({ code, commandKey: '' }))
    const first = informChange(undefined, inform({ events: boot, retryCount: 3 }), 100)
    expect(first.create?.cwmp?.retryCount).toBe(3)
    const device = { ...first.create!, cwmp: { ...first.create!.cwmp!, discoveredFor: '1.10.2' } }
    expect(device.cwmp).toMatchObject({ lastBootAt: 100, lastBootstrapAt: 100 })
    const again = informChange(
      device,
      inform({ events: [...boot, { code: '4 VALUE CHANGE', commandKey: '' }], retryCount: 1 }),
      200,
    )
    expect(again.set).toMatchObject({ 'cwmp.lastInformAt': 200 })
    for (const field of ['cwmp.lastBootAt', 'cwmp.lastBootstrapAt', 'cwmp.discoveredFor'])
      expect(again.set).not.toHaveProperty([field])
    expect(again.events ?? []).toEqual([])
    // A boot sets the count back: that is another one. So is one that was not told before.
    expect(informChange(device, inform({ events: boot, retryCount: 0 }), 300).set).toMatchObject({
      'cwmp.lastBootAt': 300,
    })
    const periodic = { ...device, cwmp: { ...device.cwmp, events: ['2 PERIODIC'] } }
    expect(informChange(periodic, inform({ events: boot, retryCount: 1 }), 300).set).toMatchObject({
      'cwmp.lastBootAt': 300,
    })
  })

  it('takes the product class for the model until the device tells its ModelName', () => {
    expect(known().model).toBe('Box')
    const named = { name: 'Device.DeviceInfo.ModelName', value: 'H1', type: 'string' as const }
    expect(informChange(undefined, inform({ parameters: [named] }), 100).create?.model).toBe('H1')
    const later = { ...known(), model: 'H1' }
    expect(informChange(later, inform(), 200).set?.model).toBeUndefined()
  })

  it('keeps no secret that a VALUE CHANGE brings, neither in the tree nor in the feed', () => {
    const secret = {
      name: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase',
      value: 'in the clear',
      type: 'string' as const,
    }
    const change = informChange(
      known(),
      inform({ events: [{ code: '4 VALUE CHANGE', commandKey: '' }], parameters: [secret] }),
      200,
    )
    expect(change.parameters).toMatchObject([{ path: secret.name, value: '' }])
    expect(JSON.stringify(change)).not.toContain('in the clear')
  })

  it('writes neither parameters nor events for a periodic Inform that brings nothing new', () => {
    const change = informChange(known(), inform(), 200)
    expect(change.parameters).toBeUndefined()
    expect(change.events).toBeUndefined()
    expect(change.set).toMatchObject({ 'cwmp.lastInformAt': 200, 'cwmp.events': ['2 PERIODIC'] })
    expect(change.set).not.toHaveProperty('softwareVersion')
  })

  it('writes nothing but the time of a periodic Inform like the one before', () => {
    const first = informChange(known(), inform({ remoteAddress: '192.0.2.1' }), 200)
    const device = applyPatch(known(), first.set ?? {}, 200)
    const { deviceId } = first
    expect(informChange(device, inform({ remoteAddress: '192.0.2.1' }), 300)).toEqual({
      deviceId,
      set: { 'cwmp.lastInformAt': 300 },
    })
    const other = inform({ remoteAddress: '192.0.2.2', version: '1.4', events: [{ code: '1 BOOT', commandKey: '' }] })
    expect(informChange(device, other, 400).set).toMatchObject({
      'cwmp.remoteAddress': '192.0.2.2',
      'cwmp.version': '1.4',
      'cwmp.events': ['1 BOOT'],
    })
  })

  it('tells a changed firmware with both versions', () => {
    const parameters = [{ name: 'Device.DeviceInfo.SoftwareVersion', value: '1.11', type: 'string' as const }]
    const change = informChange(known(), inform({ parameters }), 200)
    expect(change.events).toEqual([
      {
        type: 'device.firmwareChanged',
        at: 200,
        deviceId: '00256D-Box-S1',
        protocol: 'cwmp',
        data: { from: '1.10.2', to: '1.11' },
      },
    ])
  })

  it('normalizes the facts of both roots alike', () => {
    const parameters = [
      { name: 'InternetGatewayDevice.DeviceInfo.SoftwareVersion', value: '3', type: 'string' as const },
      {
        name: 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
        value: '198.51.100.7',
        type: 'string' as const,
      },
    ]
    const change = informChange(undefined, inform({ parameters }), 1)
    expect(change.create).toMatchObject({
      root: 'InternetGatewayDevice.',
      softwareVersion: '3',
      ipAddress: '198.51.100.7',
    })
  })
})

describe('presence', () => {
  it('is one per protocol, CWMP by Inform age, USP by link', () => {
    const cpe = applyPatch(known(), { 'cwmp.informIntervalS': 600, 'usp.linked': true, 'usp.lastSeenAt': 1 }, 200)
    expect(cwmpPresence(cpe, 100 + 1_200_000)).toBe('online')
    expect(cwmpPresence(cpe, 100 + 1_200_001)).toBe('late')
    expect(cwmpPresence(cpe, 100 + 3_600_001)).toBe('offline')
    expect(uspPresence(cpe)).toBe('online')
    expect(uspPresence(known())).toBe('never')
  })
})

describe('4 VALUE CHANGE', () => {
  const identity = { oui: '00A0C5', productClass: 'Box', serial: '7' }
  const changed = (value: string): InformFacts => ({
    identity,
    manufacturer: 'Oldham',
    events: [{ code: '4 VALUE CHANGE', commandKey: '' }],
    parameters: [
      { name: 'Device.DeviceInfo.SoftwareVersion', value: '1.0', type: 'string' },
      { name: 'Device.WiFi.SSID.1.SSID', value, type: 'string' },
    ],
    version: '1.2',
  })

  it('tells each changed value once, and nothing of the parameters that stand in every Inform', () => {
    const first = informChange(undefined, changed('home'), 1)
    const device = first.create
    if (device === undefined) throw new Error('no record was made')
    const known = { ...device, softwareVersion: '1.0' }
    const second = informChange(known, changed('office'), 2)
    expect(second.events).toEqual([
      {
        type: 'parameter.changed',
        at: 2,
        deviceId: device.id,
        protocol: 'cwmp',
        data: { path: 'Device.WiFi.SSID.1.SSID', value: 'office' },
      },
    ])
    const retried = informChange(applyPatch(known, second.set ?? {}, 2), changed('office'), 3)
    expect(retried.events).toBeUndefined()
  })
})
