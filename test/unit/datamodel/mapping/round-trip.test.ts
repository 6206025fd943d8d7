import { describe, expect, it } from 'vitest'
import {
  buildInstanceMap,
  DeviceMapping,
  loadModel,
  MappingRefusal,
  type ModelParameter,
  planWrite,
  RawTree,
  sameParameterValue,
  standardRows,
} from '../../../../src/datamodel/index.ts'
import { compiled } from '../../../support/mapping.ts'

const mapping = compiled()
const own = loadModel('tr098')
const IGD = 'InternetGatewayDevice.'

/** Values that decide what a device is: one over DSL with an ATM link, with routed connections. */
const FIXED: Record<string, string> = {
  [`${IGD}WANDevice.1.WANCommonInterfaceConfig.WANAccessType`]: 'DSL',
  [`${IGD}WANDevice.1.WANDSLInterfaceConfig.LinkEncapsulationUsed`]: 'G.992.3_Annex_K_ATM',
  [`${IGD}WANDevice.1.WANConnectionDevice.1.WANDSLLinkConfig.LinkType`]: 'EoA',
  [`${IGD}LANDevice.1.WLANConfiguration.1.BeaconType`]: '11i',
  [`${IGD}LANDevice.1.WLANConfiguration.1.IEEE11iEncryptionModes`]: 'AESEncryption',
  [`${IGD}Layer2Bridging.AvailableInterface.1.AvailableInterfaceKey`]: '5',
  [`${IGD}Layer2Bridging.AvailableInterface.1.InterfaceReference`]: `${IGD}LANDevice.1.LANEthernetInterfaceConfig.1`,
  [`${IGD}Layer2Bridging.Bridge.1.BridgeKey`]: '1',
  [`${IGD}Layer2Bridging.Filter.1.FilterBridgeReference`]: '-1',
  [`${IGD}Services.VoiceService.1.PhyInterface.1.InterfaceID`]: '1',
  [`${IGD}Services.VoiceService.1.VoiceProfile.1.Line.1.PhyReferenceList`]: '1',
}

/** Parameters that want another device than this one, or a text of their own. */
const SPECIAL: Record<string, { tree?: Record<string, string>; values: string[] }> = {
  'Device.ManagementServer.ConnReqXMPPConnection': { values: ['Device.XMPP.Connection.1'] },
  'Device.WiFi.AccessPoint.{i}.Security.ModeEnabled': { values: ['WPA-WPA2-Personal'] },
  'Device.WiFi.AccessPoint.{i}.Security.EncryptionMode': { values: ['TKIP,AES'] },
  'Device.WiFi.AccessPoint.{i}.Security.SAEPassphrase': {
    tree: { [`${IGD}LANDevice.1.WLANConfiguration.1.BeaconType`]: 'WPA3' },
    values: ['correct horse'],
  },
  'Device.PTM.Link.{i}.Enable': {
    tree: { [`${IGD}WANDevice.1.WANDSLInterfaceConfig.LinkEncapsulationUsed`]: 'G.993.2_Annex_K_PTM' },
    values: ['false'],
  },
  'Device.Bridging.Bridge.{i}.Port.{i}.LowerLayers': { values: ['Device.Ethernet.Interface.1'] },
  'Device.Bridging.Filter.{i}.Interface': {
    tree: { [`${IGD}Layer2Bridging.Bridge.1.Port.1.PortInterface`]: '5' },
    values: ['Device.Bridging.Bridge.1.Port.1'],
  },
  'Device.Bridging.Filter.{i}.Bridge': { values: ['Device.Bridging.Bridge.1'] },
  'Device.QoS.Classification.{i}.DestMask': { values: ['/24'] },
  'Device.QoS.Classification.{i}.SourceMask': { values: ['/24'] },
  'Device.Services.VoiceService.{i}.SIP.Client.{i}.RegisterURI': { values: ['sip:user@sip.example'] },
}
/** A write to these takes the row itself away (the relay of a pool), or wants two pools of one LAN. */
const LEFT_OUT = ['Device.DHCPv4.Relay.Forwarding.{i}.LocallyServed', 'Device.DHCPv4.Server.Pool.{i}.Order']

/** Returns a text that a parameter can have, as devices report it. */
function sample({ name, type, facets }: ModelParameter): string {
  if (name === 'ConnectionType') return 'IP_Routed'
  if (name === 'AddressSource') return 'DHCP'
  if (name === 'AddressingType') return 'Static'
  if (name === 'LocallyServed') return 'false'
  if (name === 'MACAddressOverride' || name === 'Enable') return 'true'
  if (name === 'ShapingRate') return '1000'
  if (facets.e !== undefined && facets.l === undefined) return facets.e[0] ?? ''
  if (type === 'boolean') return 'false'
  if (type === 'dateTime') return '2026-01-01T00:00:00Z'
  if (type === 'base64' || type === 'hexBinary') return ''
  if (type !== 'string') return String(Math.max(1, facets.r?.[0]?.[0] ?? 1))
  if (/MAC|Chaddr$/.test(name)) return '02:00:00:00:00:01'
  if (/Address$|Servers?$|Routers?$|Gateway$|Mask$/.test(name)) return '192.0.2.1'
  return ''
}

/** Returns every parameter of TR-098, one row in each table. */
function wholeTree(): Map<string, string> {
  const values = new Map<string, string>()
  for (const { path, params } of own.objects.values())
    for (const parameter of params.values()) values.set(path.replaceAll('{i}', '1') + parameter.name, sample(parameter))
  for (const [path, value] of Object.entries(FIXED)) values.set(path, value)
  return values
}

/** Returns texts that a parameter of TR-181 can be written with. */
function candidates({ type, facets, name }: ModelParameter): string[] {
  if (facets.e !== undefined) return [...facets.e, facets.e.slice(0, 2).join(',')]
  if (type === 'boolean') return ['true', 'false']
  if (type === 'dateTime') return ['2026-02-02T00:00:00Z']
  if (type === 'base64') return ['AAEC']
  if (type === 'hexBinary') return ['0A0B0C', '0A0B0C0D0E', 'ab'.repeat(32)]
  if (type !== 'string') {
    const [min, max] = facets.r?.[0] ?? [null, null]
    return ['2', '3', '-1', '64', String(min ?? 1), String(max ?? 10)]
  }
  if (/Interface|LowerLayers|App$|Policer|Queue$|Bridge$|Host|Client/.test(name))
    return ['', 'Device.IP.Interface.1', 'Device.IP.Interface.2', 'Device.Ethernet.Link.1', 'Device.QoS.Policer.1', 'x']
  return ['correct horse', '198.51.100.7', '02:00:00:00:00:07', 'UTC0', 'DE ', '8/36', '12345678', '1.1.1.1,9.9.9.9']
}

const WHOLE = whole({})

describe('a written value', () => {
  const targets = [...new Set(standardRows().flatMap(({ to, writable, copy }) => (writable && !copy ? [to] : [])))]

  it('reads back for every writable row of the standard', () => {
    const failed = targets
      .filter((schema) => !LEFT_OUT.includes(schema))
      .flatMap((schema) => {
        const why = roundTrip(schema)
        return why === undefined ? [] : [`${schema}: ${why}`]
      })
    expect(failed).toEqual([])
  })
})

/** Returns a device that shows the whole model, with some other values. */
function whole(values: Record<string, string>) {
  const tree = new Map([...wholeTree(), ...Object.entries(values)])
  const raw = new RawTree([...tree].map(([path, value]) => ({ path, value })))
  return { tree, raw, device: new DeviceMapping(mapping, buildInstanceMap(mapping, raw, {}, undefined), undefined) }
}

/** Writes a parameter and reads it back; returns why no value came back as it was written. */
function roundTrip(schema: string): string | undefined {
  const special = SPECIAL[schema]
  const { tree, raw, device } = special?.tree === undefined ? WHOLE : whole(special.tree)
  const target = mapping.targets.get(schema)
  const parameter = target?.parameter
  if (target === undefined || parameter === undefined) return 'is not in the model'
  const paths = target.rows.flatMap(({ row, pair, table }) =>
    row.copy === true ? [] : pair.rows(table.replaceAll('{i}', '1'), device.links).map((at) => at + target.rest),
  )
  const why: string[] = paths.length === 0 ? ['no row'] : []
  for (const path of paths)
    for (const value of special?.values ?? candidates(parameter)) {
      const shown = device.evaluate(path, raw, { at: 0 })?.value
      if (shown !== undefined && sameParameterValue(parameter, parameter.type, shown, value)) continue
      try {
        const { values } = planWrite(device, [{ path, value }], raw, { at: 0 })
        const after = new Map([...tree, ...values.map((write): [string, string] => [write.path, write.value])])
        const next = new RawTree([...after].map(([path, value]) => ({ path, value })))
        const read = device.evaluate(path, next, { at: 0 })?.value
        if (read !== undefined && sameParameterValue(parameter, parameter.type, read, value)) return undefined
        why.push(`${value} reads ${read}`)
      } catch (error) {
        if (!(error instanceof MappingRefusal)) throw error
        why.push(error.message)
      }
    }
  return why.slice(0, 3).join('; ')
}
