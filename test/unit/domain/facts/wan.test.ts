import { describe, expect, it } from 'vitest'
import { RecordOnly } from '../../../support/live-facts.ts'

/** A router with management and internet over VLANs of one port, as TR-181 has them. */
const ROUTER = {
  'Device.Routing.Router.1.IPv4Forwarding.1.Enable': 'true',
  'Device.Routing.Router.1.IPv4Forwarding.1.Status': 'Enabled',
  'Device.Routing.Router.1.IPv4Forwarding.1.DestIPAddress': '10.0.0.0',
  'Device.Routing.Router.1.IPv4Forwarding.1.DestSubnetMask': '255.0.0.0',
  'Device.Routing.Router.1.IPv4Forwarding.1.Interface': 'Device.IP.Interface.2',
  'Device.Routing.Router.1.IPv4Forwarding.2.Enable': '1',
  'Device.Routing.Router.1.IPv4Forwarding.2.DestIPAddress': '',
  'Device.Routing.Router.1.IPv4Forwarding.2.DestSubnetMask': '',
  'Device.Routing.Router.1.IPv4Forwarding.2.Interface': 'Device.IP.Interface.3.',
  'Device.IP.Interface.1.LowerLayers': 'Device.Ethernet.Link.1',
  'Device.IP.Interface.1.IPv4Address.1.IPAddress': '192.168.1.1',
  'Device.IP.Interface.2.LowerLayers': 'Device.Ethernet.VLANTermination.1',
  'Device.IP.Interface.2.IPv4Address.1.IPAddress': '10.20.0.7',
  'Device.IP.Interface.3.LowerLayers': 'Device.PPP.Interface.1',
  'Device.IP.Interface.3.IPv4Address.1.IPAddress': '100.64.3.9',
  'Device.PPP.Interface.1.LowerLayers': 'Device.Ethernet.VLANTermination.2',
  'Device.PPP.Interface.1.ConnectionStatus': 'Connected',
  'Device.PPP.Interface.1.LastConnectionError': 'ERROR_NONE',
  'Device.PPP.Interface.1.LastChange': '600',
  'Device.PPP.Interface.1.Username': 'ana@isp.example',
  'Device.Ethernet.VLANTermination.1.VLANID': '46',
  'Device.Ethernet.VLANTermination.2.VLANID': '100',
  'Device.Ethernet.VLANTermination.2.LowerLayers': 'Device.Ethernet.Link.2',
  'Device.Ethernet.Link.2.MACAddress': '0c-96-bf-00-01-02',
  'Device.NAT.InterfaceSetting.1.Enable': 'true',
  'Device.NAT.InterfaceSetting.1.Interface': 'Device.IP.Interface.2',
}
const without = (values: Record<string, string>, part: string) =>
  Object.fromEntries(Object.entries(values).filter(([path]) => !path.includes(part)))

describe('the internet connection', () => {
  it('has no time since which it is up where the device shows none that can be', () => {
    const { wan } = new RecordOnly().report({ ...ROUTER, 'Device.PPP.Interface.1.LastChange': '4294967295' }, 1_000_000)
    expect(wan).toMatchObject({ state: 'Connected' })
    expect(wan).not.toHaveProperty('upSince')
    const { wan: bare } = new RecordOnly().report(without(ROUTER, 'LastChange'), 1_000_000)
    expect(bare).toMatchObject({ state: 'Connected' })
    expect(bare).not.toHaveProperty('upSince')
  })

  it('is the interface of the active default route, with the PPP and the VLAN below it', () => {
    const { wan } = new RecordOnly().report(ROUTER, 1_000_000)
    expect(wan).toMatchObject({
      interface: 'Device.IP.Interface.3',
      state: 'Connected',
      ipAddress: '100.64.3.9',
      macAddress: '0C:96:BF:00:01:02',
      pppUser: 'ana@isp.example',
      vlanId: 100,
      upSince: 400_000,
      sources: {
        state: 'Device.PPP.Interface.1.ConnectionStatus',
        ipAddress: 'Device.IP.Interface.3.IPv4Address.1.IPAddress',
        vlanId: 'Device.Ethernet.VLANTermination.2.VLANID',
      },
    })
    expect(wan).not.toHaveProperty('lastError')
  })

  it('is not the connection by which the device is managed, whose route is as good, also while it is down', () => {
    const managed = {
      ...ROUTER,
      'Device.Routing.Router.1.IPv4Forwarding.1.DestIPAddress': '',
      'Device.Routing.Router.1.IPv4Forwarding.1.DestSubnetMask': '',
      'Device.NAT.InterfaceSetting.1.Interface': 'Device.IP.Interface.3',
    }
    expect(new RecordOnly().report(managed).wan?.interface).toBe('Device.IP.Interface.3')
    const down = {
      ...managed,
      'Device.Routing.Router.1.IPv4Forwarding.2.Status': 'Disabled',
      'Device.PPP.Interface.1.ConnectionStatus': 'Disconnected',
      'Device.PPP.Interface.1.LastConnectionError': 'ERROR_AUTHENTICATION_FAILURE',
    }
    expect(new RecordOnly().report(down).wan).toMatchObject({
      interface: 'Device.IP.Interface.3',
      state: 'Disconnected',
      lastError: 'ERROR_AUTHENTICATION_FAILURE',
    })
  })

  it('is the cheapest of several active default routes', () => {
    const { wan } = new RecordOnly().report({
      ...ROUTER,
      'Device.Routing.Router.1.IPv4Forwarding.2.ForwardingMetric': '20',
      'Device.Routing.Router.1.IPv4Forwarding.3.Interface': 'Device.IP.Interface.2',
      'Device.Routing.Router.1.IPv4Forwarding.3.ForwardingMetric': '5',
    })
    expect(wan?.interface).toBe('Device.IP.Interface.2')
  })

  it('is the interface of NAT where no route is active, and else the first one that is routed', () => {
    const down = { ...ROUTER, 'Device.Routing.Router.1.IPv4Forwarding.2.Status': 'Error_Misconfigured' }
    const noUser = without(down, '.Username')
    expect(new RecordOnly().report(noUser).wan).toMatchObject({ interface: 'Device.IP.Interface.2', vlanId: 46 })
    // A PPP connection of a user that is down is still the one that matters.
    expect(new RecordOnly().report(without(down, '.NAT.')).wan?.interface).toBe('Device.IP.Interface.3')
    const bare = without(without(ROUTER, '.NAT.'), '.Routing.')
    expect(new RecordOnly().report(bare).wan?.interface).toBe('Device.IP.Interface.3')
    expect(new RecordOnly().report({ 'Device.IP.Interface.1.IPv4Address.1.IPAddress': '192.168.1.1' }).wan).toEqual(
      undefined,
    )
  })

  it('of a route that names the PPP interface is the IP interface above it', () => {
    const odd = { ...ROUTER, 'Device.Routing.Router.1.IPv4Forwarding.2.Interface': 'Device.PPP.Interface.1' }
    expect(new RecordOnly().report(odd).wan?.interface).toBe('Device.IP.Interface.3')
  })

  it('is known by reports of its PPP alone, before the tree is read', () => {
    const { wan } = new RecordOnly().report({ 'Device.PPP.Interface.1.ConnectionStatus': 'connecting' })
    expect(wan).toMatchObject({ interface: 'Device.PPP.Interface.1', state: 'Connecting' })
  })

  it('without PPP has the state of its IP interface', () => {
    const { wan } = new RecordOnly().report(
      {
        'Device.NAT.InterfaceSetting.1.Interface': 'Device.IP.Interface.1',
        'Device.IP.Interface.1.Status': 'Up',
        'Device.IP.Interface.1.LastChange': '10',
        'Device.IP.Interface.1.IPv4Address.1.IPAddress': '0.0.0.0',
        'Device.IP.Interface.1.IPv4Address.2.IPAddress': '203.0.113.4',
      },
      1_000_000,
    )
    expect(wan).toMatchObject({ state: 'Connected', upSince: 990_000, ipAddress: '203.0.113.4' })
  })

  it('changes with the report of a source, which needs no other parameter', () => {
    const record = new RecordOnly()
    record.report(ROUTER)
    const { reads } = record
    const broken = record.report({
      'Device.PPP.Interface.1.ConnectionStatus': 'Disconnected',
      'Device.PPP.Interface.1.LastConnectionError': 'ERROR_AUTHENTICATION_FAILURE',
    })
    expect(broken.wan).toMatchObject({ state: 'Disconnected', lastError: 'ERROR_AUTHENTICATION_FAILURE' })
    expect(broken.wan).not.toHaveProperty('upSince')
    const again = record.report({ 'Device.PPP.Interface.1.ConnectionStatus': 'Connected' }, 7_000_000)
    expect(again.wan).toMatchObject({ state: 'Connected', upSince: 7_000_000 })
    expect(record.report({ 'Device.IP.Interface.2.IPv4Address.1.IPAddress': '10.20.0.8' }).wan).toEqual(again.wan)
    expect(record.reads).toBe(reads)
  })

  it('moves with the default route, and is gone with its rows', () => {
    const record = new RecordOnly()
    record.report(ROUTER)
    const moved = record.report({ 'Device.Routing.Router.1.IPv4Forwarding.2.Interface': 'Device.IP.Interface.2' })
    expect(moved.wan).toMatchObject({ interface: 'Device.IP.Interface.2', ipAddress: '10.20.0.7', vlanId: 46 })
    expect(moved.wan).not.toHaveProperty('pppUser')
    const dropSubtrees = ['Device.IP.', 'Device.PPP.', 'Device.Routing.', 'Device.NAT.']
    expect(record.change({ dropSubtrees }).wan).toEqual({})
  })

  it('has been up since one time, whatever the way of a message took', () => {
    const record = new RecordOnly()
    record.report(ROUTER, 1_000_000)
    const { wan } = record.report({ 'Device.PPP.Interface.1.LastChange': '900' }, 1_301_500)
    expect(wan?.upSince).toBe(400_000)
  })
})
