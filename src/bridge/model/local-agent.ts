/** The object of the Agent itself. */
export const LOCAL_AGENT = 'Device.LocalAgent.'

/** The tables by which Controllers say what they want to know. */
export const SUBSCRIPTIONS = `${LOCAL_AGENT}Subscription.`
export const THRESHOLDS = `${LOCAL_AGENT}Threshold.`

/** Returns true for a path whose change may be another interest. */
export function isAboutInterests(path: string): boolean {
  return path.startsWith(SUBSCRIPTIONS) || path.startsWith(THRESHOLDS)
}
