import type { Band, DeviceFacts } from './device-trees.ts'

/** Values by TR-181 path. */
export type Tr181Values = ReadonlyMap<string, string>

/**
 * Returns the facts that a tree in TR-181 shows, read by the paths of TR-181 alone: the same for every device, whatever
 * its own tree looks like.
 */
export function factsOf(tree: Tr181Values): Partial<DeviceFacts> {
  return withoutAbsent({
    model: tree.get('Device.DeviceInfo.ModelName'),
    upTimeS: number(tree, 'Device.DeviceInfo.UpTime'),
    cpuPercent: number(tree, 'Device.DeviceInfo.ProcessStatus.CPUUsage'),
    memory: memory(tree),
    optics: optics(tree),
    ponMode: tree.get('Device.XPON.ONU.1.ANI.1.PONMode'),
    onuSerial: tree.get('Device.XPON.ONU.1.ANI.1.TC.ONUActivation.SerialNumber'),
    pppoe: pppoe(tree),
    bridgeVlans: some(
      rows(tree, 'Device.Bridging.Bridge.').flatMap((bridge) =>
        rows(tree, `${bridge}VLAN.`).flatMap((row) => number(tree, `${row}VLANID`) ?? []),
      ),
    ),
    ssids: byBand(tree),
    security: bySsid(tree, (_ssid, ap) => tree.get(`${ap}Security.ModeEnabled`)),
    advertised: bySsid(tree, (_ssid, ap) => boolean(tree, `${ap}SSIDAdvertisementEnabled`)),
    radios: byRadio(tree, (radio) => boolean(tree, `${radio}Enable`)),
    channels: byRadio(tree, (radio) => number(tree, `${radio}Channel`)),
    widths: byRadio(tree, (radio) => tree.get(`${radio}OperatingChannelBandwidth`)),
    hosts: hosts(tree),
    stations: stations(tree),
    cellular: cellular(tree),
  })
}

function memory(tree: Tr181Values): DeviceFacts['memory'] {
  const totalKib = number(tree, 'Device.DeviceInfo.MemoryStatus.Total')
  const freeKib = number(tree, 'Device.DeviceInfo.MemoryStatus.Free')
  if (totalKib !== undefined && freeKib !== undefined) return { totalKib, freeKib }
  const usedPercent = number(tree, 'Device.DeviceInfo.MemoryStatus.MemoryMonitor.MemUtilization')
  return usedPercent === undefined ? undefined : { usedPercent }
}

function optics(tree: Tr181Values): DeviceFacts['optics'] {
  const dbm = (name: string) => {
    const level = number(tree, `Device.Optical.Interface.1.${name}`)
    return level === undefined ? undefined : Math.round(level / 10) / 100
  }
  const transceiver = 'Device.XPON.ONU.1.ANI.1.Transceiver.1.'
  const found = withoutAbsent({
    rxDbm: dbm('OpticalSignalLevel'),
    txDbm: dbm('TransmitOpticalLevel'),
    temperatureC: number(tree, `${transceiver}Temperature`),
    voltageMv: number(tree, `${transceiver}Voltage`),
    biasUa: number(tree, `${transceiver}Bias`),
  })
  return Object.keys(found).length === 0 ? undefined : (found as DeviceFacts['optics'])
}

/** The PPP line: its IP interface is the one above it, its VLAN the one below it. */
function pppoe(tree: Tr181Values): DeviceFacts['pppoe'] | undefined {
  const line = rows(tree, 'Device.PPP.Interface.').find((row) => (tree.get(`${row}Username`) ?? '') !== '')
  if (line === undefined) return undefined
  const above = rows(tree, 'Device.IP.Interface.').find((row) => refersTo(tree, `${row}LowerLayers`, line))
  return withoutAbsent({
    user: tree.get(`${line}Username`) ?? '',
    status: tree.get(`${line}ConnectionStatus`) ?? '',
    lastError: tree.get(`${line}LastConnectionError`) ?? '',
    ip: tree.get(`${above}IPv4Address.1.IPAddress`) ?? '',
    vlan: vlanBelow(tree, line),
  })
}

function vlanBelow(tree: Tr181Values, row: string): number | undefined {
  const vlan = rows(tree, 'Device.Ethernet.VLANTermination.').find((vlan) => refersTo(tree, `${row}LowerLayers`, vlan))
  return vlan === undefined ? undefined : number(tree, `${vlan}VLANID`)
}

function byRadio<T>(tree: Tr181Values, read: (radio: string) => T | undefined): Partial<Record<Band, T>> | undefined {
  return some(
    Object.fromEntries(
      rows(tree, 'Device.WiFi.Radio.').flatMap((radio) => {
        const value = read(radio)
        return value === undefined ? [] : [[tree.get(`${radio}OperatingFrequencyBand`) ?? 'unknown', value]]
      }),
    ),
  )
}

function isOn(tree: Tr181Values, ssid: string): boolean {
  return boolean(tree, `${ssid}Enable`) === true
}

function byBand(tree: Tr181Values): DeviceFacts['ssids'] {
  const found: Partial<Record<Band, string[]>> = {}
  for (const ssid of rows(tree, 'Device.WiFi.SSID.')) {
    if (!isOn(tree, ssid)) continue
    const radio = rows(tree, 'Device.WiFi.Radio.').find((row) => refersTo(tree, `${ssid}LowerLayers`, row))
    const band = (tree.get(`${radio}OperatingFrequencyBand`) ?? 'unknown') as Band
    found[band] = [...(found[band] ?? []), tree.get(`${ssid}SSID`) ?? '']
  }
  return found
}

function bySsid<T>(
  tree: Tr181Values,
  read: (ssid: string, ap: string) => T | undefined,
): Record<string, T> | undefined {
  const found: Record<string, T> = {}
  for (const ap of rows(tree, 'Device.WiFi.AccessPoint.')) {
    const ssid = ssidOf(tree, ap)
    const value = ssid === undefined || !isOn(tree, ssid) ? undefined : read(ssid, ap)
    if (value !== undefined) found[tree.get(`${ssid}SSID`) ?? ''] = value
  }
  return some(found)
}

function ssidOf(tree: Tr181Values, ap: string): string | undefined {
  return rows(tree, 'Device.WiFi.SSID.').find((row) => refersTo(tree, `${ap}SSIDReference`, row))
}

function hosts(tree: Tr181Values): DeviceFacts['hosts'] {
  return rows(tree, 'Device.Hosts.Host.').map((row) =>
    withoutAbsent({
      mac: (tree.get(`${row}PhysAddress`) ?? '').toLowerCase(),
      ip: tree.get(`${row}IPAddress`) ?? '',
      name: tree.get(`${row}HostName`) ?? '',
      active: boolean(tree, `${row}Active`),
    }),
  )
}

function stations(tree: Tr181Values): DeviceFacts['stations'] {
  return rows(tree, 'Device.WiFi.AccessPoint.').flatMap((ap) =>
    rows(tree, `${ap}AssociatedDevice.`).map((row) =>
      withoutAbsent({
        mac: (tree.get(`${row}MACAddress`) ?? '').toLowerCase(),
        ssid: tree.get(`${ssidOf(tree, ap)}SSID`) ?? '',
        rssiDbm: number(tree, `${row}SignalStrength`),
        snrDb: number(tree, `${row}SNR`),
        rateKbps: number(tree, `${row}LastDataDownlinkRate`),
      }),
    ),
  )
}

function cellular(tree: Tr181Values): DeviceFacts['cellular'] {
  const row = 'Device.Cellular.Interface.1.'
  const rssiDbm = number(tree, `${row}RSSI`)
  const rsrpDbm = number(tree, `${row}RSRP`)
  const rsrqDb = number(tree, `${row}RSRQ`)
  if (rssiDbm === undefined || rsrpDbm === undefined || rsrqDb === undefined) return undefined
  return { rssiDbm, rsrpDbm, rsrqDb }
}

/** Returns the rows of a table, in the order of their numbers. */
function rows(tree: Tr181Values, table: string): string[] {
  const numbers = new Set<number>()
  for (const path of tree.keys())
    if (path.startsWith(table)) {
      const [instance = ''] = path.slice(table.length).split('.')
      if (/^\d+$/.test(instance)) numbers.add(Number(instance))
    }
  return [...numbers].sort((a, b) => a - b).map((n) => `${table}${n}.`)
}

/** Returns true when a list of references has a row; a dot at the end does not count. */
function refersTo(tree: Tr181Values, path: string, row: string): boolean {
  const bare = (text: string) => text.trim().replace(/\.$/, '')
  return (tree.get(path) ?? '').split(',').some((item) => bare(item) === bare(row))
}

function number(tree: Tr181Values, path: string): number | undefined {
  const text = tree.get(path)
  return text === undefined || text === '' ? undefined : Number(text)
}

function boolean(tree: Tr181Values, path: string): boolean | undefined {
  const text = tree.get(path)?.toLowerCase()
  return text === undefined ? undefined : text === 'true' || text === '1'
}

function some<T extends object>(found: T): T | undefined {
  return Object.keys(found).length === 0 ? undefined : found
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Returns the object without the fields that are undefined. */
function withoutAbsent<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>
}
