import type { Transform, TransformContext } from '../transform.ts'
import { quoted, refusal, type Theme, toSource, wholeIn } from './basics.ts'

const LANS = 'InternetGatewayDevice.LANDevice.'

/** Returns the conditional pools of a LANDevice in the order in which the device asks them. */
function poolsOf(lan: string, context: TransformContext): string[] {
  const table = `${LANS}${lan}.LANHostConfigManagement.DHCPConditionalServingPool.`
  return context
    .children(table)
    .map((row, at) => ({ row: `${table}${row}.`, order: wholeIn(context.raw(`${table}${row}.PoolOrder`) ?? ''), at }))
    .sort((a, b) => (a.order ?? Number.MAX_SAFE_INTEGER) - (b.order ?? Number.MAX_SAFE_INTEGER) || a.at - b.at)
    .map(({ row }) => row)
}

/** Returns the conditional pools of the LANDevice of the source, and the pools that all LANDevices before it have. */
function placeOf(context: TransformContext): { pools: string[]; before: number } {
  const own = context.from.slice(LANS.length).split('.', 1)[0] ?? ''
  let before = 0
  for (const lan of context.children(LANS)) {
    if (lan === own) break
    before += poolsOf(lan, context).length + 1
  }
  return { pools: poolsOf(own, context), before }
}

/**
 * The order of a pool is unique over all pools in TR-181: the conditional pools of the first LANDevice, its default
 * pool, then those of the next.
 */
const poolOrder: Transform = {
  read(raw, context) {
    const order = wholeIn(raw)
    if (order === undefined || order < 1) return undefined
    const { pools, before } = placeOf(context)
    const at = pools.indexOf(context.from.slice(0, context.from.lastIndexOf('.') + 1))
    return String(before + (at < 0 ? order : at + 1))
  },
  write(value, context) {
    const order = wholeIn(value)
    const { pools, before } = placeOf(context)
    const position = (order ?? 0) - before
    if (position < 1 || position > Math.max(pools.length, 1))
      throw refusal(
        context,
        `${quoted(value)} is no place among the conditional pools of its LAN; write ${before + 1} to ${before + Math.max(pools.length, 1)}`,
      )
    return toSource(context, String(position))
  },
}

/** The order of DHCP pools. */
export const DHCP: Theme = { poolOrder }
