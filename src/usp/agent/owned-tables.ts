/** The tables by which Controllers say what they want to know. */
export const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
export const THRESHOLDS = 'Device.LocalAgent.Threshold.'

/**
 * Tables whose rows belong to the Controller that made them, with the parameter that names its row. One that may write
 * such rows and not read them has its own alone: with those of others it would change what they hear.
 */
export const OWNERS: ReadonlyMap<string, string> = new Map([
  [SUBSCRIPTIONS, 'Recipient'],
  [THRESHOLDS, 'Controller'],
])
