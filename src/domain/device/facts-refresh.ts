import { AppError } from '../../base/index.ts'
import { FACT_GROUPS, type FactGroup, type FactSources } from '../facts/live-facts.ts'
import type { Timestamp } from '../timestamp.ts'
import { wasResetSince } from './bootstrap.ts'
import type { CwmpSubscription, Device } from './device.ts'
import { placesOf } from './facts-of-change.ts'

/** The ways in which the facts of a group are kept up beside what a device reports by itself. */
interface RefreshRule {
  /** Seconds after which they are read again while the device is in contact anyhow; 0: never. */
  maxAgeS: number
  /** Facts whose sources a CPE is asked to report at once (`active`), or with its next Inform (`passive`). */
  active?: readonly string[]
  passive?: readonly string[]
}
export type RefreshRules = Readonly<Record<FactGroup, RefreshRule>>

/**
 * The policy for each group. A connection that comes and goes is reported at once, optical levels come with the
 * periodic Inform; what a device does not report is read a few times a day.
 */
const REFRESH_RULES: RefreshRules = {
  wan: { maxAgeS: 86_400, active: ['state', 'ipAddress'] },
  optical: { maxAgeS: 21_600, passive: ['rxPowerDbm', 'txPowerDbm'] },
  wifi: { maxAgeS: 21_600 },
  lan: { maxAgeS: 21_600 },
  system: { maxAgeS: 21_600 },
}

/**
 * Returns the policy with the changes of a text: `never`, or groups with the age in seconds at which they are read
 * again, such as `optical=900,lan=never`. AppError `invalid` for an age that is none.
 */
export function refreshRules(text: string | undefined): RefreshRules {
  if (text === undefined) return REFRESH_RULES
  const ages = new Map<string, number>()
  for (const part of text === 'never' ? FACT_GROUPS.map((group) => `${group}=never`) : text.split(',')) {
    const [group = '', age = ''] = part.split('=')
    const seconds = age === 'never' ? 0 : Number(age)
    if (!Number.isSafeInteger(seconds) || seconds < 0)
      throw new AppError('invalid', `${JSON.stringify(part)} is no age in seconds, such as optical=900`)
    ages.set(group, seconds)
  }
  const ruleOf = (group: FactGroup): RefreshRule => ({
    ...REFRESH_RULES[group],
    ...(ages.has(group) ? { maxAgeS: ages.get(group) ?? 0 } : {}),
  })
  return {
    wan: ruleOf('wan'),
    optical: ruleOf('optical'),
    wifi: ruleOf('wifi'),
    lan: ruleOf('lan'),
    system: ruleOf('system'),
  }
}

/** Returns the groups that are to be read again; only groups of which the device has shown a parameter. */
export function dueFacts(device: Device, rules: RefreshRules, now: Timestamp): FactGroup[] {
  return FACT_GROUPS.filter((group) => {
    const { maxAgeS } = rules[group]
    const readAt = device.factsReadAt?.[group] ?? device.cwmp?.discovery?.at ?? device.createdAt
    return maxAgeS > 0 && now - readAt >= maxAgeS * 1000 && sourcesIn(device, group).length > 0
  })
}

/** Rows that come and go are read with their table: a sum over them has no single source. */
const TABLES: Partial<Readonly<Record<FactGroup, readonly string[]>>> = {
  wifi: ['Device.WiFi.SSID.', 'Device.WiFi.AccessPoint.'],
  lan: ['Device.Hosts.'],
}

/**
 * Returns the paths that bring the facts of these groups: their sources where they are known, else the tables in which
 * they can be.
 */
export function refreshPaths(device: Device, groups: readonly FactGroup[]): string[] {
  return groups.flatMap((group) => {
    const known = sourcesIn(device, group)
    if (TABLES[group] !== undefined) return [...TABLES[group]]
    const { tables, objects } = placesOf(group)
    return known.length > 0 ? known : [...tables, ...objects]
  })
}

function sourcesIn(device: Device, group: FactGroup): string[] {
  return [...new Set(Object.values(device[group]?.sources ?? {}))]
}

/** Ids of the subscriptions by which a CPE is asked to report sources of facts. */
const SUBSCRIPTIONS = { active: 'isthmus-facts', passive: 'isthmus-facts-passive' } as const

/** A subscription that a CPE does not have yet or has lost, or that it has and shall not have any more. */
export interface DueSubscription extends Pick<CwmpSubscription, 'id' | 'paths'> {
  passive: boolean
  enable: boolean
}

/** Returns the sources of facts that a device is asked to report at once. */
export function urgentSources(device: Device, rules: RefreshRules): string[] {
  return sourcesToReport(device, rules, 'active')
}

function sourcesToReport(device: Device, rules: RefreshRules, kind: 'active' | 'passive'): string[] {
  const paths: string[] = []
  for (const group of FACT_GROUPS) {
    const sources: FactSources | undefined = device[group]?.sources
    const { maxAgeS, [kind]: facts } = rules[group]
    if (sources === undefined || facts === undefined || maxAgeS === 0) continue
    for (const fact of facts) {
      const source = sources[fact]
      if (source !== undefined) paths.push(source)
    }
  }
  return paths
}

/**
 * Returns the subscriptions that a CPE is to be asked for: those of sources of facts that differ from what it was asked
 * for, to be ended where the policy does not want them any more, and all that a reset of the CPE has undone.
 */
export function dueSubscriptions(device: Device, rules: RefreshRules): DueSubscription[] {
  const made = device.cwmp?.subscriptions ?? []
  const standing = made.filter(({ bootstrapAt }) => !wasResetSince(bootstrapAt, device))
  const ofFacts: readonly string[] = Object.values(SUBSCRIPTIONS)
  const lost = made.filter((one) => !standing.includes(one) && !ofFacts.includes(one.id))
  return [
    ...factSubscriptions(device, rules, standing),
    ...lost.map(({ id, paths, asked = paths, passive = false }) => ({ id, paths: asked, passive, enable: true })),
  ]
}

function factSubscriptions(
  device: Device,
  rules: RefreshRules,
  subscriptions: readonly CwmpSubscription[],
): DueSubscription[] {
  return (['active', 'passive'] as const).flatMap((kind): DueSubscription[] => {
    const id = SUBSCRIPTIONS[kind]
    const paths = sourcesToReport(device, rules, kind)
    const made = subscriptions.find((one) => one.id === id)
    const standing = made?.asked ?? made?.paths ?? []
    if (paths.length === 0 && standing.length === 0) return []
    const isSame = standing.length === paths.length && paths.every((path) => standing.includes(path))
    const passive = kind === 'passive'
    const isOff = FACT_GROUPS.every((group) => rules[group].maxAgeS === 0 || rules[group][kind] === undefined)
    if (isOff && standing.length > 0) return [{ id, paths: standing, passive, enable: false }]
    return paths.length === 0 || isSame ? [] : [{ id, paths, passive, enable: true }]
  })
}
