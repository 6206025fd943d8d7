import type { ModelReader } from './model-reader.ts'

export const CONTROLLERS = 'Device.LocalAgent.Controller.'

/** The address of a Controller, as its MTP row names it (TR-181 LocalAgent.Controller.{i}.MTP.{i}.WebSocket). */
export interface ControllerAddress {
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
  /** Undefined: the Controller is disabled, has no Endpoint ID, or no enabled WebSocket. */
  address: ControllerAddress | undefined
  periodicS: number
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

/** Resolves with all rows of the Controller table, by instance number. */
export async function readControllers(reader: ModelReader): Promise<ControllerRow[]> {
  const rows = await reader.rows(CONTROLLERS)
  return Promise.all(rows.map((row) => readController(reader, row)))
}

async function readController(reader: ModelReader, row: string): Promise<ControllerRow> {
  const texts = await reader.texts(row, ROW)
  const isEnabled = texts.Enable === 'true' && texts.EndpointID !== ''
  return {
    row,
    endpointId: texts.EndpointID,
    address: isEnabled ? await readAddress(reader, row) : undefined,
    periodicS: positive(texts.PeriodicNotifInterval, 300),
    notifyMinimumS: positive(texts.USPNotifRetryMinimumWaitInterval, 5),
    notifyMultiplier: positive(texts.USPNotifRetryIntervalMultiplier, 2000),
    isOnboarded: texts.OnBoardingComplete === 'true',
    onboardingRestartS: positive(texts.OnBoardingRestartTime, 0),
  }
}

/** The first enabled WebSocket. */
async function readAddress(reader: ModelReader, row: string): Promise<ControllerAddress | undefined> {
  for (const mtp of await reader.rows(`${row}MTP.`)) {
    const texts = await reader.texts(mtp, MTP)
    if (texts.Enable !== 'true' || texts.Protocol !== 'WebSocket') continue
    return {
      host: texts['WebSocket.Host'],
      port: positive(texts['WebSocket.Port'], 80),
      path: texts['WebSocket.Path'],
      tls: texts['WebSocket.EnableEncryption'] === 'true',
      keepAliveS: positive(texts['WebSocket.KeepAliveInterval'], 60),
      retryMinimumS: positive(texts['WebSocket.SessionRetryMinimumWaitInterval'], 5),
      retryMultiplier: positive(texts['WebSocket.SessionRetryIntervalMultiplier'], 2000),
    }
  }
  return undefined
}

function positive(text: string, otherwise: number): number {
  const value = Number(text)
  return Number.isFinite(value) && value > 0 ? value : otherwise
}
