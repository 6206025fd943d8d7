import { SUBSCRIPTIONS, THRESHOLDS } from '../../usp/index.ts'

/** The object of the Agent itself. */
export const LOCAL_AGENT = 'Device.LocalAgent.'

/** Returns true for a path whose change may be another interest of a Controller. */
export function isAboutInterests(path: string): boolean {
  return path.startsWith(SUBSCRIPTIONS) || path.startsWith(THRESHOLDS)
}
