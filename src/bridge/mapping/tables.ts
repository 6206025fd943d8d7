/** Schema paths of the tables whose rows others refer to. */
export const ETHERNET = 'Device.Ethernet.Interface.{i}.'
export const VLAN_TERMINATION = 'Device.Ethernet.VLANTermination.{i}.'
export const OPTICAL = 'Device.Optical.Interface.{i}.'
export const BRIDGE = 'Device.Bridging.Bridge.{i}.'
export const BRIDGE_PORT = 'Device.Bridging.Bridge.{i}.Port.{i}.'
export const BRIDGE_VLAN = 'Device.Bridging.Bridge.{i}.VLAN.{i}.'
export const IP_INTERFACE = 'Device.IP.Interface.{i}.'
export const PPP_INTERFACE = 'Device.PPP.Interface.{i}.'
export const RADIO = 'Device.WiFi.Radio.{i}.'
export const SSID = 'Device.WiFi.SSID.{i}.'
export const ACCESS_POINT = 'Device.WiFi.AccessPoint.{i}.'
export const STATION = 'Device.WiFi.AccessPoint.{i}.AssociatedDevice.{i}.'
export const CELLULAR = 'Device.Cellular.Interface.{i}.'

/** Tables with the interfaces that the rows of menus name; a bridge is named by its management port. */
export const LINKS = [ETHERNET, SSID, VLAN_TERMINATION, BRIDGE_PORT, PPP_INTERFACE, CELLULAR]
