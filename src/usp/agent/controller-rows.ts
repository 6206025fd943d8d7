import type { ModelReader } from './model-reader.ts'

export const CONTROLLERS = 'Device.LocalAgent.Controller.'

/** The address of a Controller, as its MTP row names it (TR-181 LocalAgent.Controller.{i}.MTP.{i}.WebSocket). */
export interface ControllerAddress {
  /** Its MTP row. */
  mtp: string
  host: string
  port: number
  path: string
  tls: boolean
  keepAliveS: number
  retryMinimumS: number
  /** In thousandths. */
  retryMultiplier: number
}

/** One row of the Controller table, as far as a channel needs it. */
export interface ControllerRow {
  row: string
  endpointId: string
  /** True when the Controller is enabled and has an Endpoint ID. */
  isEnabled: boolean
  /** The first enabled WebSocket. Undefined: the Controller is disabled, has no Endpoint ID, or no enabled WebSocket. */
  address: ControllerAddress | undefined
  periodicS: number
  /** A time at which Periodic! is due, and with it all that are whole intervals away; undefined: any. */
  periodicTimeMs: number | undefined
  notifyMinimumS: number
  /** In thousandths. */
  notifyMultiplier: number
  isOnboarded: boolean
  /** Seconds after which an OnBoardRequest is repeated while onboarding is not complete; 0 = never. */
  onboardingRestartS: number
}

const ROW = [
  'Enable',
  'EndpointID',
  'PeriodicNotifInterval',
  'PeriodicNotifTime',
  'USPNotifRetryMinimumWaitInterval',
  'USPNotifRetryIntervalMultiplier',
  'OnBoardingComplete',
  'OnBoardingRestartTime',
] as const
const MTP = [
  'Enable',
  'Protocol',
  'WebSocket.Host',
  'WebSocket.Port',
  'WebSocket.Path',
  'WebSocket.EnableEncryption',
  'WebSocket.KeepAliveInterval',
  'WebSocket.SessionRetryMinimumWaitInterval',
  'WebSocket.SessionRetryIntervalMultiplier',
] as const

/**
 * Resolves with all rows of the Controller table, by instance number. The model is asked for values twice, however many
 * Controllers there are.
 */
export async function readControllers(reader: ModelReader): Promise<ControllerRow[]> {
  const rows = await reader.rows(CONTROLLERS)
  const [texts, mtps] = await Promise.all([
    reader.textsOf(rows, ROW),
    Promise.all(rows.map((row) => reader.rows(`${row}MTP.`))),
  ])
  const addresses = await readAddresses(reader, mtps.flat())
  return rows.flatMap((row, i) => {
    const own = texts[i]
    if (own === undefined) return []
    const address = mtps[i]?.map((mtp) => addresses.get(mtp)).find((one) => one !== undefined)
    return controllerRow(row, own, address)
  })
}

function controllerRow(
  row: string,
  texts: Record<(typeof ROW)[number], string>,
  address: ControllerAddress | undefined,
): ControllerRow {
  const isEnabled = texts.Enable === 'true' && texts.EndpointID !== ''
  return {
    row,
    endpointId: texts.EndpointID,
    isEnabled,
    address: isEnabled ? address : undefined,
    periodicS: positive(texts.PeriodicNotifInterval, 300),
    periodicTimeMs: timeOf(texts.PeriodicNotifTime),
    notifyMinimumS: positive(texts.USPNotifRetryMinimumWaitInterval, 5),
    notifyMultiplier: positive(texts.USPNotifRetryIntervalMultiplier, 2000),
    isOnboarded: texts.OnBoardingComplete === 'true',
    onboardingRestartS: positive(texts.OnBoardingRestartTime, 0),
  }
}

/** The enabled WebSockets among MTP rows. */
async function readAddresses(reader: ModelReader, mtps: readonly string[]): Promise<Map<string, ControllerAddress>> {
  const all = await reader.textsOf(mtps, MTP)
  return new Map(
    mtps.flatMap((mtp, i): [string, ControllerAddress][] => {
      const texts = all[i]
      if (texts?.Enable !== 'true' || texts.Protocol !== 'WebSocket') return []
      const address = {
        mtp,
        host: texts['WebSocket.Host'],
        port: positive(texts['WebSocket.Port'], 80),
        path: texts['WebSocket.Path'],
        tls: texts['WebSocket.EnableEncryption'] === 'true',
        keepAliveS: positive(texts['WebSocket.KeepAliveInterval'], 60),
        retryMinimumS: positive(texts['WebSocket.SessionRetryMinimumWaitInterval'], 5),
        retryMultiplier: positive(texts['WebSocket.SessionRetryIntervalMultiplier'], 2000),
      }
      return [[mtp, address]]
    }),
  )
}

/** Undefined for the unknown time (TR-106 3.2.1) and what is no time. */
function timeOf(text: string): number | undefined {
  const time = Date.parse(text)
  return Number.isNaN(time) || text.startsWith('0001-') ? undefined : time
}

function positive(text: string, otherwise: number): number {
  const value = Number(text)
  return Number.isFinite(value) && value > 0 ? value : otherwise
}
