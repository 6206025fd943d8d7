import type { FactTree } from './fact-tree.ts'
import type { FactDerivation, FactFields } from './group.ts'
import type { FactSources } from './live-facts.ts'
import { countIn, textIn } from './readings.ts'

const SSIDS = 'Device.WiFi.SSID.'
const RADIOS = 'Device.WiFi.Radio.'
const POINTS = 'Device.WiFi.AccessPoint.'

const BEARING = [
  /^Device\.WiFi\.SSID\.\d+\.(Enable|SSID|LowerLayers)$/,
  /^Device\.WiFi\.Radio\.\d+\.(OperatingFrequencyBand|Channel)$/,
  /^Device\.WiFi\.AccessPoint\.\d+\.AssociatedDeviceNumberOfEntries$/,
  /^Device\.WiFi\.AccessPoint\.\d+\.AssociatedDevice\.\d+\.(MACAddress|Active)$/,
]
/** SSIDs of one band that are kept. */
const MAX_SSIDS = 16

const FIELDS = { '2.4GHz': 'ssids2g', '5GHz': 'ssids5g', '6GHz': 'ssids6g' } as const
type Band = keyof typeof FIELDS

/** Returns the band of the radio that an SSID is on; undefined where the tree does not show it. */
function bandOf(tree: FactTree, ssid: string): Band | undefined {
  const radio = tree.layers(ssid).find((layer) => layer.startsWith(RADIOS))
  const band = (tree.get(`${radio}OperatingFrequencyBand`) ?? '').trim()
  if (Object.hasOwn(FIELDS, band)) return band as Band
  const channel = countIn(tree.get(`${radio}Channel`))
  if (channel === undefined || channel === 0) return undefined
  return channel > 14 ? '5GHz' : '2.4GHz'
}

function ssidFacts(tree: FactTree): FactFields {
  const fields: Record<string, string[]> = {}
  const sources: FactSources = {}
  for (const row of tree.rows(SSIDS)) {
    const ssid = textIn(tree.get(`${row}SSID`))
    if (ssid === undefined || !tree.isOn(`${row}Enable`)) continue
    const band = bandOf(tree, row)
    for (const field of ['ssids', ...(band === undefined ? [] : [FIELDS[band]])]) {
      const names = fields[field] ?? []
      fields[field] = names
      if (!names.includes(ssid) && names.length < MAX_SSIDS) names.push(ssid)
      sources[field] ??= `${row}SSID`
    }
  }
  return { ...fields, sources }
}

/** Returns the stations of all access points: the counts that the device gives, else the rows that it shows. */
function stationFacts(tree: FactTree): { stations: number; source: string } | undefined {
  const points = tree.rows(POINTS)
  const counts = points.flatMap((row) => {
    const count = countIn(tree.get(`${row}AssociatedDeviceNumberOfEntries`))
    return count === undefined ? [] : [{ count, source: `${row}AssociatedDeviceNumberOfEntries` }]
  })
  const [first] = counts
  if (first !== undefined) return { stations: counts.reduce((sum, { count }) => sum + count, 0), source: first.source }
  const rows = points.flatMap((row) => tree.rows(`${row}AssociatedDevice.`))
  const [row] = rows
  if (row === undefined) return undefined
  return { stations: rows.filter((one) => tree.isOn(`${one}Active`)).length, source: `${row}MACAddress` }
}

/** Names and stations are sums over rows, so that no parameter alone gives one. */
export const WIFI: FactDerivation = {
  tables: [SSIDS, RADIOS, POINTS],
  objects: [],
  bears: (path) => path.startsWith('Device.WiFi.') && BEARING.some((pattern) => pattern.test(path)),
  derive(tree) {
    const found = stationFacts(tree)
    const { sources, ...fields } = ssidFacts(tree)
    const all = { ...(sources as FactSources), ...(found === undefined ? {} : { stations: found.source }) }
    return {
      ...fields,
      stations: found?.stations,
      ...(Object.keys(all).length === 0 ? {} : { sources: all }),
    }
  },
  take: () => undefined,
  matters: () => true,
}
