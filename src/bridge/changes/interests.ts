import { type AgentModel, SUBSCRIPTIONS, THRESHOLDS } from '../../usp/index.ts'
import { LOCAL_AGENT } from '../model/local-agent.ts'

/** A path that may mean something of a router; a text that is none is not looked at. */
const PATTERN = /^Device\.(?:(?:\*|[\w-]+)\.)*[\w-]*[!]?$/

/** An enabled subscription, as far as it says what to look at. */
interface Subscribed {
  /** NotifType. */
  readonly type: string
  readonly references: readonly string[]
}

/** A row of Device.LocalAgent.Threshold (TR-181, 2.13) that is enabled. */
export interface Threshold {
  /** Path of the row, with its last dot. */
  readonly row: string
  /** Parameters that it is about; `*` for any instance. */
  readonly parameters: string
  readonly operator: string
  readonly value: string
  /** True when the row is disabled after it was triggered once. */
  readonly once: boolean
  /** Row of the Controller that made it, with its last dot. */
  readonly controller: string
}

/** All that the Controllers of an Agent want to know of its router. */
export interface Interests {
  readonly subscribed: readonly Subscribed[]
  readonly thresholds: readonly Threshold[]
}

/** Resolves with the subscriptions and thresholds that are enabled. */
export async function readInterests(local: Pick<AgentModel, 'instances' | 'get'>): Promise<Interests> {
  const [subscriptions, thresholds] = await Promise.all([local.instances(SUBSCRIPTIONS), local.instances(THRESHOLDS)])
  const ofSubscription = ['Enable', 'NotifType', 'ReferenceList']
  const ofThreshold = [
    'Enable',
    'OperatingMode',
    'ReferencePath',
    'ThresholdParam',
    'ThresholdOperator',
    'ThresholdValue',
    'Controller',
  ]
  const wanted = [
    ...subscriptions.flatMap((row) => ofSubscription.map((name) => row + name)),
    ...thresholds.flatMap((row) => ofThreshold.map((name) => row + name)),
  ]
  const values = await local.get(wanted)
  const text = (path: string) => values.get(path) ?? ''
  return {
    subscribed: subscriptions
      .filter((row) => text(`${row}Enable`) === 'true')
      .map((row) => ({ type: text(`${row}NotifType`), references: patternsOf(text(`${row}ReferenceList`)) })),
    thresholds: thresholds
      .filter((row) => text(`${row}Enable`) === 'true' && text(`${row}ThresholdParam`) !== '')
      .flatMap((row) => {
        const [parameters] = patternsOf(text(`${row}ReferencePath`) + text(`${row}ThresholdParam`))
        if (parameters === undefined) return []
        return {
          row,
          parameters,
          operator: text(`${row}ThresholdOperator`),
          value: text(`${row}ThresholdValue`),
          once: text(`${row}OperatingMode`) === 'Single',
          controller: `${text(`${row}Controller`)}.`,
        }
      }),
  }
}

/**
 * Returns the paths of a list with `*` in place of searches: more is looked at than is meant, and the Agent leaves out
 * the rest. A path that follows a reference is not looked at.
 */
function patternsOf(list: string): string[] {
  return list
    .replace(/\[[^\]]*\]/g, '*')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => PATTERN.test(path) && !path.startsWith(LOCAL_AGENT))
}
