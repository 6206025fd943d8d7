/** Roots of the two trees, and the tables of TR-098 that the instance rules speak of. */
export const IGD = 'InternetGatewayDevice.'
export const LAN = `${IGD}LANDevice.{i}.`
export const WLAN = `${LAN}WLANConfiguration.{i}.`
export const POOL_098 = `${LAN}LANHostConfigManagement.DHCPConditionalServingPool.{i}.`
export const HOST = `${LAN}Hosts.Host.{i}.`
export const STATION = `${WLAN}AssociatedDevice.{i}.`
export const PORT = `${LAN}LANEthernetInterfaceConfig.{i}.`
export const USB = `${LAN}LANUSBInterfaceConfig.{i}.`
export const WAN = `${IGD}WANDevice.{i}.`
export const WCD = `${WAN}WANConnectionDevice.{i}.`
export const IP = `${WCD}WANIPConnection.{i}.`
export const PPP = `${WCD}WANPPPConnection.{i}.`
export const FORWARDING = `${IGD}Layer3Forwarding.Forwarding.{i}.`
export const BRIDGE = `${IGD}Layer2Bridging.Bridge.{i}.`
const VOICE = `${IGD}Services.VoiceService.{i}.`
export const PROFILE = `${VOICE}VoiceProfile.{i}.`
export const LINE = `${PROFILE}Line.{i}.`
const CODEC = `${LINE}Codec.List.{i}.`
const PHY = `${VOICE}PhyInterface.{i}.`
export const ROUTE_181 = 'Device.Routing.Router.{i}.IPv4Forwarding.{i}.'
export const VOICE_181 = 'Device.Services.VoiceService.{i}.'

/** Tables of TR-181 whose numbers the instance map holds, and the tables of the device's own tree behind them. */
const LINKED: readonly [to: string, from: readonly string[]][] = [
  ['Device.IP.Interface.{i}.', [LAN, IP, PPP]],
  ['Device.Ethernet.Link.{i}.', [LAN, WCD, IP, PPP]],
  ['Device.Ethernet.Interface.{i}.', [WAN, PORT]],
  ['Device.USB.Interface.{i}.', [USB]],
  ['Device.Bridging.Bridge.{i}.', [LAN, BRIDGE]],
  ['Device.Bridging.Bridge.{i}.Port.{i}.', [LAN, PORT, USB, WLAN, BRIDGE, `${BRIDGE}Port.{i}.`]],
  ['Device.DHCPv4.Server.Pool.{i}.', [LAN, POOL_098]],
  ['Device.DHCPv4.Relay.Forwarding.{i}.', [POOL_098]],
  ['Device.WiFi.SSID.{i}.', [WLAN]],
  ['Device.WiFi.AccessPoint.{i}.', [WLAN, LAN]],
  ['Device.WiFi.Radio.{i}.', [WLAN]],
  ['Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.', [STATION]],
  ['Device.Hosts.Host.{i}.', [HOST, STATION]],
  ['Device.DHCPv4.Server.Pool.{i}.Client.{i}.', [HOST]],
  ['Device.DSL.Line.{i}.', [WAN, '']],
  ['Device.DSL.Channel.{i}.', [WAN]],
  ['Device.ATM.Link.{i}.', [WCD]],
  ['Device.PTM.Link.{i}.', [WCD]],
  ['Device.PPP.Interface.{i}.', [PPP]],
  ['Device.DHCPv4.Client.{i}.', [IP]],
  ['Device.NAT.InterfaceSetting.{i}.', [IP, PPP]],
  ['Device.NAT.PortMapping.{i}.', [`${IP}PortMapping.{i}.`, `${PPP}PortMapping.{i}.`]],
  ['Device.DNS.Client.Server.{i}.', [IP, PPP]],
  [ROUTE_181, [IP, PPP, '']],
  ['Device.QoS.Shaper.{i}.', [WAN, IP, PPP]],
  [`${VOICE_181}SIP.Client.{i}.`, [LINE, PROFILE]],
  [`${VOICE_181}CallControl.Line.{i}.`, [LINE]],
  [`${VOICE_181}CallControl.CallingFeatures.Set.{i}.`, [LINE]],
  [`${VOICE_181}CodecProfile.{i}.`, [CODEC]],
  [`${VOICE_181}POTS.FXS.{i}.`, [PHY, LINE, PROFILE]],
]

const linked = new Map(LINKED.map(([to, from]) => [to, new Set(from)]))

/** Tables that any object of the device's own tree can stand behind: optical containers, and VLANs of connections. */
export const OPTICAL = 'Device.Optical.Interface.{i}.'
const ONU = 'Device.XPON.ONU.{i}.'
export const VLAN = 'Device.Ethernet.VLANTermination.{i}.'
const VLAN_OWNERS: ReadonlySet<string> = new Set([WCD, IP, PPP])

/** Returns true when the instance map says which objects of `from` are behind which rows of `to` (tables, schema paths). */
export function isLinked(from: string, to: string): boolean {
  if (to === OPTICAL || to === ONU) return from.startsWith(IGD)
  if (to === VLAN) return VLAN_OWNERS.has(from)
  return linked.get(to)?.has(from) === true
}

/** Returns true when the numbers of a TR-181 table are those of the instance map. */
export function isNumbered(to: string): boolean {
  return linked.has(to) || to === OPTICAL || to === ONU || to === VLAN
}
