import { instancesOf, itemsOf, type RawLookup } from '../tree/raw-tree.ts'
import { lastNumber } from '../tree/schema.ts'
import { macKey, type RuleContext, topTable } from './rule-tree.ts'
import { stationMac } from './wlan.ts'

const HOSTS = 'Device.Hosts.Host.'
const POOLS = 'Device.DHCPv4.Server.Pool.'

/**
 * Hosts of all LANDevices by their MAC address, joined with the stations of the radios; those with an address by DHCP
 * are clients of the pool whose range holds it.
 */
export function hostRows({ tree, numbers }: RuleContext): void {
  const lans = topTable(tree, 'LANDevice')
  const known = new Set<string>()
  for (const lan of lans) {
    const pools = poolsOf(tree, lan)
    for (const host of instancesOf(tree, `${lan}Hosts.Host.`)) {
      const mac = macKey(tree.value(`${host}MACAddress`))
      if (mac !== undefined) known.add(mac)
      if (numbers.row(HOSTS, mac ?? host, [host]) === undefined) return
      if (tree.value(`${host}AddressSource`) !== 'DHCP') continue
      const address = addressNumber(tree.value(`${host}IPAddress`))
      const pool =
        pools.find(({ min, max }) => address !== undefined && address >= min && address <= max)?.object ?? lan
      const row = numbers.row(POOLS, pool, [])
      if (row !== undefined) numbers.row(`${row}Client.`, mac ?? host, [host])
    }
  }
  for (const lan of lans)
    for (const network of instancesOf(tree, `${lan}WLANConfiguration.`))
      for (const station of instancesOf(tree, `${network}AssociatedDevice.`)) {
        const mac = stationMac(tree, station)
        if (mac !== undefined && known.has(mac)) numbers.row(HOSTS, mac, [station])
      }
}

interface Range {
  object: string
  min: number
  max: number
}

/** Conditional pools before the default one. */
function poolsOf(tree: RawLookup, lan: string): Range[] {
  const management = `${lan}LANHostConfigManagement.`
  const range = (object: string, at: string): Range[] => {
    const min = addressNumber(tree.value(`${at}MinAddress`))
    const max = addressNumber(tree.value(`${at}MaxAddress`))
    return min === undefined || max === undefined ? [] : [{ object, min, max }]
  }
  return [
    ...instancesOf(tree, `${management}DHCPConditionalServingPool.`).flatMap((pool) => range(pool, pool)),
    ...range(lan, management),
  ]
}

/** Returns an IPv4 address as a number; undefined for a text that is none. */
function addressNumber(text: string | undefined): number | undefined {
  const parts = text?.trim().split('.') ?? []
  if (parts.length !== 4) return undefined
  let number = 0
  for (const part of parts) {
    const byte = part === '' || part.length > 3 ? Number.NaN : Number(part)
    if (!(byte >= 0 && byte <= 255)) return undefined
    number = number * 256 + byte
  }
  return number
}

const VOICE = 'InternetGatewayDevice.Services.VoiceService.'

/** Voice: lines of all profiles in one table, the codecs of all lines in one, and the ports that lines use. */
export function voiceRows({ tree, numbers }: RuleContext): void {
  for (const service of instancesOf(tree, VOICE)) {
    const target = service.replace('InternetGatewayDevice.', 'Device.')
    const ports = new Map<string, { port: string; users: string[] }>()
    for (const port of instancesOf(tree, `${service}PhyInterface.`))
      ports.set(tree.value(`${port}InterfaceID`) ?? '', { port, users: [] })
    for (const profile of instancesOf(tree, `${service}VoiceProfile.`))
      for (const line of instancesOf(tree, `${profile}Line.`)) {
        if (numbers.row(`${target}SIP.Client.`, line, [line, profile]) === undefined) return
        for (const id of itemsOf(tree.value(`${line}PhyReferenceList`))) ports.get(id)?.users.push(line, profile)
        for (const codec of instancesOf(tree, `${line}Codec.List.`))
          numbers.row(`${target}CodecProfile.`, codec, [codec])
      }
    for (const { port, users } of ports.values())
      numbers.row(`${target}POTS.FXS.`, port, [port, ...users], {
        wanted: Number(lastNumber(port)),
      })
  }
}
