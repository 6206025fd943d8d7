import { instancesOf, type RawLookup } from '../tree/raw-tree.ts'
import { bandsOf } from './band.ts'
import { macKey, type RuleContext, topTable } from './rule-tree.ts'

/** WLANConfiguration: one SSID and one AccessPoint each, and one radio for those of the same band. */
export function wlanRows({ tree, numbers, layout }: RuleContext): void {
  for (const lan of topTable(tree, 'LANDevice')) {
    const networks = instancesOf(tree, `${lan}WLANConfiguration.`)
    const bands = bandsOf(tree, networks, layout)
    for (const [i, network] of networks.entries()) {
      const row = numbers.row('Device.WiFi.SSID.', network, [network, lan])
      if (row === undefined) return
      numbers.row('Device.WiFi.Radio.', `${lan}${bands[i] ?? ''}`, [network])
    }
  }
}

/** Stations of each AccessPoint by their MAC address: their numbers in TR-098 change with every association. */
export function stationRows({ tree, numbers }: RuleContext): void {
  for (const lan of topTable(tree, 'LANDevice'))
    for (const network of instancesOf(tree, `${lan}WLANConfiguration.`)) {
      const ssid = numbers.row('Device.WiFi.SSID.', network, [])
      if (ssid === undefined) return
      const table = `${ssid.replace('SSID', 'AccessPoint')}AssociatedDevice.`
      const stations = instancesOf(tree, `${network}AssociatedDevice.`).map((station) => ({
        station,
        key: stationMac(tree, station) ?? station,
      }))
      for (const isKnown of [true, false])
        for (const { station, key } of stations)
          if (numbers.knows(table, key) === isKnown) numbers.row(table, key, [station], { lowest: true })
    }
}

/** Returns the MAC address of a station; vendors spell the name of the parameter in several ways. */
export function stationMac(tree: RawLookup, station: string): string | undefined {
  const standard = macKey(tree.value(`${station}AssociatedDeviceMACAddress`))
  if (standard !== undefined) return standard
  for (const name of tree.children(station))
    if (name.toLowerCase().endsWith('macaddress')) {
      const mac = macKey(tree.value(station + name))
      if (mac !== undefined) return mac
    }
  return undefined
}
