import { sameValue } from '../../datamodel/index.ts'
import { identitiesDiffer, type PathOutcome, sameSerial } from '../../domain/index.ts'
import { MustWait, StepFailed } from '../../rollout/index.ts'
import type { Outcome, Script, StepResult } from '../machine/script.ts'
import type { MemberStep } from '../machine/transition.ts'
import { notifies } from './notifies.ts'
import { ownerChange } from './owner.ts'
import { harmlessSet } from './probe.ts'

const INFO = 'Device.DeviceInfo.'
const OWN_CONTROLLERS = 'Device.LocalAgent.Controller.'
const SOFTWARE = `${INFO}SoftwareVersion`
const IDENTITY = ['ManufacturerOUI', 'ProductClass', 'SerialNumber'].map((name) => INFO + name)
type Values = Map<string, PathOutcome>

const PARITY_ROUNDS = 2
const VERSIONS_LOOK_MS = 2000

/**
 * VERIFYING: over USP, with CWMP beside it. The identity must be the same, the values must agree, a value must be
 * writable, notifications must arrive, and CWMP must still answer for a rollback.
 */
export async function verifying(script: Script): Promise<Outcome> {
  if (script.facts.bridge !== undefined) await script.derived('ownRow', () => ownRowOf(script))
  let look: Values | undefined
  const seen = async () => {
    look ??= await script.read('look', lookedAt(script), 'usp')
    return look
  }
  await script.derived('set', async () => {
    const { values, ...result } = await harmlessSet(script, lookedAt(script))
    look = values
    return result
  })
  await script.derived('identity', async () => identity(script, await seen()))
  await script.derived('parity', async () => parity(script, await seen()))
  await script.derived('versions', () => versions(script))
  await notifies(script)
  return { kind: 'event', event: 'verified', evidence: evidenceOf(script), ...(await handOver(script)) }
}

/**
 * USP becomes the owner together with the end of the verification. Not while another party writes over CWMP: DUAL waits
 * for that.
 */
async function handOver(script: Script): Promise<Pick<MemberStep, 'facts' | 'change'>> {
  if (!(await script.isQuiet())) return {}
  const change = ownerChange(await script.device(), 'usp', script.deps.clock.now())
  return { facts: { handedOver: true }, change }
}

/** The identity and the values to compare: one answer of the Agent shows them all. */
function lookedAt(script: Script): string[] {
  return [...new Set([...IDENTITY, ...parityPaths(script)])]
}

/** Finds the row of this Controller on an Agent that no plan has written it on. */
async function ownRowOf(script: Script): Promise<StepResult> {
  const { endpointId } = script.plan.settings.controller
  const values = await script.read('ownRow', [OWN_CONTROLLERS], 'usp')
  const own = [...values].find(
    ([path, { value }]) => value === endpointId && /^Device\.LocalAgent\.Controller\.\d+\.EndpointID$/.test(path),
  )
  if (own === undefined) throw new StepFailed('set', 'the Agent shows no row of this Controller', true)
  return { facts: { controllerRow: own[0].slice(0, -'EndpointID'.length) } }
}

async function identity(script: Script, values: Values): Promise<StepResult> {
  const device = await script.device()
  const found = (name: string) => (values.get(INFO + name)?.value ?? '').trim()
  const shown = { oui: found('ManufacturerOUI'), productClass: found('ProductClass'), serial: found('SerialNumber') }
  const text = `${shown.oui}-${shown.productClass}-${shown.serial}`
  // The API and the TR-069 client of a router name its model and its OUI in different ways.
  const isOther = script.facts.bridge === undefined && (shown.oui === '' || identitiesDiffer(shown, device))
  // A missing part contradicts nothing when an Agent arrives; here serial number and OUI have to be shown.
  if (isOther || !sameSerial(shown, device)) throw new StepFailed('identity', `over USP the device is ${text}`, false)
  return { facts: { identity: text } }
}

async function versions(script: Script): Promise<StepResult> {
  const device = await script.device()
  const shown = device.usp?.versions ?? ''
  // Onboarding asks for them, and may take its time.
  if (shown === '') throw new MustWait('agent', VERSIONS_LOOK_MS)
  const theirs = shown.split(',').map((version) => version.trim())
  if (!theirs.some((version) => /^1\.[0-4]$/.test(version)))
    throw new StepFailed('versions', `no common USP version: the Agent speaks ${shown}`, false)
  return { facts: { versions: shown } }
}

/** Of a router behind a bridge the firmware alone: its two data models number their rows in different ways. */
function parityPaths({ plan, facts }: Script): string[] {
  if (facts.bridge !== undefined) return [SOFTWARE]
  return [...new Set([SOFTWARE, ...plan.settings.parityPaths])]
}

/** Read over USP and then over CWMP, which thereby shows that it still answers beside USP. */
async function bothWays(script: Script, round: number, paths: string[], look: Values): Promise<Pair[]> {
  const overUsp = round === 1 ? look : await script.read(`parity${round}Usp`, paths, 'usp')
  // Without a soak the next request over CWMP follows at once.
  const { soakMs, retire } = script.plan.settings
  const more = soakMs === 0 && retire === 'dormant'
  const overCwmp = await script.read(`parity${round}Cwmp`, paths, 'cwmp', { more })
  return paths.map((path) => {
    const [usp, cwmp] = [overUsp.get(path), overCwmp.get(path)]
    const types = [cwmp?.type ?? 'string', usp?.type ?? 'string']
    return { path, usp: usp?.value, cwmp: cwmp?.value, types }
  })
}

interface Pair {
  path: string
  usp: string | undefined
  cwmp: string | undefined
  types: NonNullable<PathOutcome['type']>[]
}

/**
 * Compares values over both protocols. Both show one instance of the data model, so that paths and instance numbers are
 * the same. Every device shows its firmware over both; a value that neither side has is passed over, and one that
 * changed between the two reads is read again.
 */
async function parity(script: Script, look: Values): Promise<StepResult> {
  const paths = parityPaths(script)
  let different: Pair[] = []
  let absent = 0
  let softwareVersion = ''
  for (let round = 1; round <= PARITY_ROUNDS; round++) {
    const asked = round === 1 ? paths : different.map(({ path }) => path)
    if (asked.length === 0) break
    const pairs = await bothWays(script, round, asked, look)
    softwareVersion ||= pairs.find(({ path }) => path === SOFTWARE)?.usp ?? ''
    absent += pairs.filter((pair) => pair.path !== SOFTWARE && onNeither(pair)).length
    different = pairs.filter(differs)
  }
  const [first] = different
  if (first !== undefined)
    throw new StepFailed(
      first.path === SOFTWARE ? 'softwareVersion' : 'parity',
      `${first.path} is ${shownText(first.usp)} over USP and ${shownText(first.cwmp)} over CWMP`,
      first.usp !== undefined && first.cwmp !== undefined,
    )
  return { facts: { softwareVersion, parity: `${paths.length - absent} equal, ${absent} on neither side` } }
}

function onNeither({ usp, cwmp }: Pair): boolean {
  return usp === undefined && cwmp === undefined
}

/**
 * True when the values differ. Many devices report every value as a string over CWMP: the type of either side is
 * enough.
 */
function differs({ path, usp, cwmp, types }: Pair): boolean {
  if (usp === undefined || cwmp === undefined) return usp !== cwmp || path === SOFTWARE
  return !types.some((type) => sameValue(type, usp, cwmp))
}

function shownText(value: string | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

function evidenceOf({ facts }: Script): Record<string, string> {
  const names = ['identity', 'versions', 'softwareVersion', 'parity', 'wrote', 'notified'] as const
  return Object.fromEntries(names.map((name) => [name, facts[name] ?? '']))
}
