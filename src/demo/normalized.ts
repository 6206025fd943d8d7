import type { Page } from './answers.ts'
import type { ApiClient } from './api-client.ts'

/** The parts of a device that the table shows. */
interface LineFacts {
  id: string
  manufacturer?: string
  model?: string
  optical?: { rxPowerDbm?: number; health?: string; sources?: Record<string, string> }
  wan?: { pppUser?: string; state?: string }
  wifi?: { ssids?: string[] }
}

/** A parameter of TR-181, and the one of the device's own tree that it comes from. */
interface Mapped {
  path: string
  value: string
  from?: { path: string; value: string }
}

/** Vendors that the table shows at the most. */
const VENDORS = 5

/**
 * Returns a table of one device of each of several vendors: received power, PPPoE user and SSIDs, read by the same
 * names, with the parameter and text of the device that the power comes from. Empty when no device has them.
 */
export async function normalizedLines(api: ApiClient, width: number): Promise<string[]> {
  const fields = 'manufacturer,model,optical,wan,wifi'
  const { items } = await api.get<Page<LineFacts>>(
    `/devices?limit=1000&fields=${fields}&filter=${encodeURIComponent('optical.rxPowerDbm<0')}`,
  )
  const vendors = new Map<string, LineFacts>()
  for (const device of items) {
    const vendor = device.manufacturer ?? ''
    if (vendors.size < VENDORS && !vendors.has(vendor)) vendors.set(vendor, device)
  }
  const rows = await Promise.all([...vendors.values()].map((device) => rowOf(api, device)))
  if (rows.length === 0) return []
  const cells = [['device', 'RX power', 'PPPoE user', 'SSIDs', 'the power as the device has it'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)) + 2)
  return cells.map((row) => {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')
    return line.length > width ? `${line.slice(0, width - 1)}…` : line
  })
}

async function rowOf(api: ApiClient, device: LineFacts): Promise<string[]> {
  const path = device.optical?.sources?.rxPowerDbm ?? ''
  const object = path.slice(0, path.lastIndexOf('.') + 1)
  const { items } = await api.get<Page<Mapped>>(
    `/devices/${encodeURIComponent(device.id)}/parameters?path=${encodeURIComponent(object)}`,
  )
  const from = items.find((parameter) => parameter.path === path)?.from
  return [
    device.model ?? device.id,
    `${device.optical?.rxPowerDbm?.toFixed(2) ?? '-'} dBm`,
    device.wan?.pppUser ?? '-',
    (device.wifi?.ssids ?? []).join(', '),
    from === undefined ? '' : `${from.path.split('.').slice(-2).join('.')} = ${from.value}`,
  ]
}
