import { ETHERNET } from '../mapping/tables.ts'
import { DraftRefusal } from '../write/draft.ts'
import { type ObjectWriter, pathsOf } from '../write/object-writer.ts'

const SPEEDS = [10, 100, 1000, 2500, 5000, 10_000]

/** Speed of a port: a number of its own, or what both ends agree on. */
const PORTS: ObjectWriter = {
  object: ETHERNET,
  parameters: ['MaxBitRate', 'DuplexMode'],
  async set({ path, instance, given, values }, draft) {
    const { MaxBitRate = '-1', DuplexMode = 'Auto' } = values
    const rate = given.MaxBitRate ?? MaxBitRate
    // A rate that is given ends the agreement, and one of -1 begins it.
    const isAuto = given.MaxBitRate === undefined ? given.DuplexMode === 'Auto' || rate === '-1' : rate === '-1'
    const paths = pathsOf(path, { speed: 'MaxBitRate', 'auto-negotiation': 'MaxBitRate' })
    if (isAuto) {
      if (given.DuplexMode !== undefined && given.DuplexMode !== 'Auto')
        throw new DraftRefusal(`${path}DuplexMode`, 7012, 'must be Auto while MaxBitRate is -1')
      draft.change('/interface/ethernet', instance.match, { 'auto-negotiation': 'yes' }, { path, paths })
      return undefined
    }
    const speed = speedOf(Number(rate), DuplexMode === 'Half', draft.version)
    if (speed === undefined)
      throw new DraftRefusal(`${path}MaxBitRate`, 7012, 'is a speed that the router does not have')
    draft.change('/interface/ethernet', instance.match, { 'auto-negotiation': 'no', speed }, { path, paths })
    return undefined
  },
}

/** A speed in Mbit/s as the version writes it: since 7.12 it is a link mode. */
function speedOf(mbits: number, isHalf: boolean, version: string): string | undefined {
  if (!SPEEDS.includes(mbits)) return undefined
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isMode = major > 7 || (major === 7 && minor >= 12)
  const number = mbits >= 1000 ? `${mbits / 1000}G` : `${mbits}M`
  if (!isMode) return isHalf ? undefined : `${number}bps`
  if (mbits > 1000) return isHalf ? undefined : `${number}-baseT`
  return `${number}-baseT-${isHalf ? 'half' : 'full'}`
}

export const ETHERNET_WRITERS = [PORTS]
