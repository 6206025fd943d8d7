import {
  bootstrapOf,
  type DeviceSnapshot,
  MASK,
  memberStateRow,
  type PathOutcome,
  type PathValue,
  shownValue,
} from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import { MTPS } from '../../usp/index.ts'
import { type Outcome, outcomeOf, type Script, type StepResult } from '../machine/script.ts'
import type { MemberStep } from '../machine/transition.ts'
import { informAgain } from './inform-again.ts'
import { linkEnds, linkIsGone } from './link-ends.ts'
import { ownerChange } from './owner.ts'
import { findAtBridge, undoAtBridge } from './rolling-back-at-bridge.ts'
import { CONTROLLERS, CREDENTIALS, INFORM_INTERVAL, plainReference, ROLES, rowsOf, sameBooleanOrText } from './rows.ts'
import { ROLE_NAME } from './trust.ts'

type Values = Map<string, PathOutcome>

/** A link that its Agent does not end after its rows were disabled is closed after this time. */
const LINK_ENDS_MS = 15_000
/** Rounds of reading and undoing at most. */
const MAX_ROUNDS = 3

/**
 * ROLLING_BACK: over CWMP, restores everything that plans have changed on the CPE to the snapshot. The rows of this
 * Controller are disabled first and deleted when the link has ended: some Agents keep the link of a deleted Controller
 * open and answer nothing on it.
 *
 * While the Agent answers, USP stays the owner until the CPE has opened a CWMP session: a device whose CWMP does not
 * work must not lose USP. For a router whose Agent a bridge is, the bridge ends the Agent; there are no rows on it.
 */
export async function rollingBack(script: Script): Promise<Outcome> {
  const { clock } = script.deps
  const toCwmp = async () => ({ change: ownerChange(await script.device(), 'cwmp', clock.now()) })
  await script.step('cancel', async () => {
    await script.cancelWaiting()
    return {}
  })
  const snapshot = await script.snapshot()
  try {
    if (snapshot !== undefined) {
      if ((await script.device()).owner === 'usp' && (await script.agentAnswers()))
        await script.step('wakeCwmp', () => wakeCwmp(script, snapshot))
      else await script.step('ownerEarly', toCwmp)
      await script.step('find', () =>
        snapshot.bridge === undefined ? find(script, snapshot, 1) : findAtBridge(script),
      )
    }
    await script.step('owner', toCwmp)
    if (snapshot?.bridge !== undefined) await undoAtBridge(script, snapshot)
    else if (snapshot !== undefined) await undoAll(script, snapshot)
  } catch (error) {
    const outcome = outcomeOf(error)
    if (outcome.kind === 'wait' || outcome.event !== 'fail' || outcome.reason === undefined) return outcome
    return stopped(outcome.reason)
  }
  return ended(script)
}

/**
 * Returns the event of a failed rollback. A CPE without a CWMP session is waited for, and the owner of the device
 * stays.
 */
function stopped({ code, text }: { code: string; text: string }): Outcome {
  const event = code === 'offline' ? 'stranded' : 'rollbackFailed'
  return { kind: 'event', event, reason: { code, text: `rollback: ${text}` } }
}

/** Returns the event that ends a successful rollback, by the reason for which it began. */
function ended(script: Script): Outcome {
  const { afterwards = 'stop', removed = 0 } = script.facts
  const evidence = { rowsRemoved: String(removed) }
  const { attempt, history, reason } = script.member
  const failure = history.findLast(({ event }) => event === 'fail')
  const why: Pick<MemberStep, 'reason'> =
    failure?.code !== undefined && failure.reason !== undefined
      ? { reason: { code: failure.code, text: failure.reason } }
      : reason === undefined
        ? {}
        : { reason }
  if (afterwards === 'stop' || script.plan.state === 'aborting')
    return { kind: 'event', event: 'rolledBack', evidence, ...(afterwards === 'stop' ? {} : why) }
  if (afterwards === 'again') {
    const missed = failure?.code === 'offline' && memberStateRow(script.member.state).phase === 'back'
    return {
      kind: 'event',
      event: 'again',
      evidence,
      ...(missed ? { facts: { missedAt: script.deps.clock.now() } } : {}),
    }
  }
  if (afterwards === 'quarantine' || attempt >= script.plan.settings.maxAttempts)
    return { kind: 'event', event: 'giveUp', evidence, ...why }
  return { kind: 'event', event: 'tryLater', evidence, ...why }
}

/**
 * Enables CWMP over USP, with the earlier inform interval, while the Agent answers, so that the CPE opens a session.
 * Agents differ in which of the two parameters they show over USP, so that a refusal is ignored.
 */
async function wakeCwmp(script: Script, { slept, interval }: DeviceSnapshot) {
  if (!slept) return {}
  const wishes: PathValue[] = [{ path: 'Device.CWMPManagementServer.EnableCWMP', value: 'true' }]
  if (interval !== undefined) wishes.push({ path: INFORM_INTERVAL, value: interval })
  for (const wish of wishes) {
    try {
      await script.run(`wake ${wish.path}`, { verb: 'set', values: [wish] }, 'usp', { tolerate: true })
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error
    }
  }
  return {}
}

/**
 * Finds the rows of plans and the changed values by the content of the rows, not by recorded instance numbers: an
 * AddObject with a lost answer leaves a row without a record, and CPE renumber their rows.
 */
async function find(script: Script, snapshot: DeviceSnapshot, round: number) {
  const foundBootstrapAt = bootstrapOf(await script.device())
  const values = await script.read(named('find', round), [CONTROLLERS, ROLES, CREDENTIALS], 'cwmp', { more: true })
  const own = ownRow(values, snapshot)
  const ours = [...controllersOf(values, snapshot, own), ...trustOf(values, snapshot)]
  const changed = (own?.values ?? []).filter(({ path, value }) => {
    const found = values.get(path)?.value
    return found !== undefined && !sameBooleanOrText(found, value)
  })
  const switches = ours
    .filter((row) => row.startsWith(CONTROLLERS))
    .flatMap((row) => [...rowsOf(`${row}MTP.`, values), row].map((enabled) => `${enabled}Enable`))
    .filter((path) => values.has(path))
  return { facts: { ours, changed, switches, foundBootstrapAt } }
}

/**
 * Returns the Controller row of the time before the plan under its present number; undefined when there was none, or
 * when it was deleted.
 */
function ownRow(values: Values, { controller, preexisting }: DeviceSnapshot): DeviceSnapshot['preexisting'] {
  if (preexisting === undefined) return undefined
  const rows = controllersNaming(controller.endpointId, values)
  const row = rows.includes(preexisting.row) ? preexisting.row : rows[0]
  if (row === undefined) return undefined
  const moved = (path: string) => row + path.slice(preexisting.row.length)
  return {
    row,
    mtps: preexisting.mtps.map(moved),
    values: preexisting.values.map(({ path, value }) => ({ path: moved(path), value })),
  }
}

/**
 * Returns the rows to delete: all Controller rows of this Controller, or the MTP rows that a plan added below an
 * earlier Controller row; and MTP rows of plans below Controller rows of others.
 */
function controllersOf(
  values: Values,
  { controller, preexisting }: DeviceSnapshot,
  own: DeviceSnapshot['preexisting'],
): string[] {
  const named = controllersNaming(controller.endpointId, values)
  const strays = straysOf(values, named, controller.host)
  if (preexisting === undefined) return [...strays, ...named]
  if (own === undefined) return strays
  const added = rowsOf(`${own.row}MTP.`, values).filter(
    (row) => !own.mtps.includes(row) && MTPS.some(({ host }) => values.get(row + host)?.value === controller.host),
  )
  return [...strays, ...added]
}

/**
 * Returns the MTP rows with the host and a secret of this Controller below Controller rows of others: a factory reset
 * between the two adds of PREPARING gives the number of the Controller row to another Controller.
 */
function straysOf(values: Values, named: readonly string[], controllerHost: string): string[] {
  const holdsSecret = (path: string) => shownValue(path, values.get(path)?.value ?? '').includes(MASK)
  return rowsOf(CONTROLLERS, values)
    .filter((row) => !named.includes(row))
    .flatMap((row) => rowsOf(`${row}MTP.`, values))
    .filter((row) =>
      MTPS.some(({ host, secret }) => values.get(row + host)?.value === controllerHost && holdsSecret(row + secret)),
    )
}

function controllersNaming(endpointId: string, values: Values): string[] {
  return rowsOf(CONTROLLERS, values).filter((row) => values.get(`${row}EndpointID`)?.value === endpointId)
}

/** Returns the credential and role rows to delete: those that the CPE did not have before. */
function trustOf(values: Values, { trust, certificate }: DeviceSnapshot): string[] {
  const value = (path: string) => values.get(path)?.value ?? ''
  const credentials =
    certificate === undefined || trust.credential
      ? []
      : rowsOf(CREDENTIALS, values).filter((row) => plainReference(value(`${row}Credential`)) === certificate)
  const roles = trust.role ? [] : rowsOf(ROLES, values).filter((row) => value(`${row}Name`) === ROLE_NAME)
  return [...credentials, ...roles]
}

/** Returns the name of a step in a round. */
function named(step: string, round: number): string {
  return round === 1 ? step : `${step} round ${round}`
}

/** Undoes what was found and reads again, until nothing is found: a row may get another number after it was read. */
async function undoAll(script: Script, snapshot: DeviceSnapshot): Promise<void> {
  const { slept, interval, preexisting } = snapshot
  const sleeps = slept && interval !== undefined
  if (sleeps) await informAgain(script, interval, 'first')
  for (let round = lastRound(script); round === 1 || hasFound(script); round++) {
    if (round > MAX_ROUNDS)
      throw new StepFailed('readBack', 'rows that were deleted are there again at each read', true)
    await undo(script, snapshot, round)
    if (!hasFound(script)) break
    await script.step(named('find', round + 1), () => find(script, snapshot, round + 1))
  }
  // An Agent with an earlier row for this Controller dials without a secret again.
  if (preexisting !== undefined) await script.step('secret', () => secretIsOver(script))
  if (sleeps) await informAgain(script, interval, 'last')
}

/** Returns the round whose results are the facts. */
function lastRound({ member }: Script): number {
  let round = 1
  while (member.done.includes(named('find', round + 1))) round++
  return round
}

function hasFound({ facts: { ours = [], changed = [] } }: Script): boolean {
  return ours.length + changed.length > 0
}

async function undo(script: Script, { preexisting }: DeviceSnapshot, round: number): Promise<void> {
  const { ours = [], changed = [], switches = [] } = script.facts
  const step = (name: string, work: (name: string) => Promise<StepResult>) =>
    script.step(named(name, round), () => work(named(name, round)))
  if (switches.length > 0) await step('disable', (name) => disable(script, name, switches))
  // Also when the row is deleted already, because its Agent may keep the link. A Controller row from before the plan
  // keeps its link.
  if (switches.length > 0 || (round === 1 && preexisting === undefined)) {
    await step('linkEnds', () => linkEnds(script))
    await step('linkGone', () => linkIsGone(script))
  }
  for (const row of ours) await step(`delete ${row}`, (name) => removeRow(script, name, row))
  if (changed.length > 0) await step('restore', (name) => restore(script, name, changed))
}

async function disable(script: Script, step: string, switches: string[]): Promise<StepResult> {
  const values = switches.map((path) => ({ path, value: 'false' }))
  // A CPE that refuses to disable a row may still delete it.
  await script.run(step, { verb: 'set', values }, 'cwmp', { tolerate: true, more: true })
  return { facts: { linkUntilMs: script.deps.time.now() + LINK_ENDS_MS } }
}

async function removeRow(script: Script, step: string, row: string): Promise<StepResult> {
  const operation = await script.run(step, { verb: 'delete', paths: [row] }, 'cwmp', { tolerate: true, more: true })
  const error = operation.result?.error
  // 9005: the row does not exist under this number; bootstrap: it may have another one. The next round finds it.
  if (operation.state === 'failed' && !/^(9005|bootstrap)$/.test(error?.code ?? ''))
    throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, true)
  return { facts: { removed: (script.facts.removed ?? 0) + 1 } }
}

async function restore(script: Script, step: string, values: PathValue[]): Promise<StepResult> {
  const written = await Promise.all(values.map((entry) => withSecret(script, entry)))
  const operation = await script.run(step, { verb: 'set', values: written }, 'cwmp', { tolerate: true, more: true })
  const error = operation.result?.error
  // Parameters with a new number are found in the next round.
  if (operation.state === 'failed' && !/^(900[35]|bootstrap)$/.test(error?.code ?? ''))
    throw new StepFailed(error?.code ?? 'failed', `${step}: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
  return {}
}

async function secretIsOver({ deps, member }: Script) {
  await deps.linkSecrets.release(member.deviceId)
  return {}
}

/** Returns a value with the secret of the device in place of the mask with which it was read. */
async function withSecret({ deps, member }: Script, entry: PathValue): Promise<PathValue> {
  if (!MTPS.some(({ secret }) => entry.path.endsWith(`.${secret}`)) || !entry.value.includes(MASK)) return entry
  return { ...entry, value: entry.value.replace(MASK, await deps.linkSecrets.ensure(member.deviceId)) }
}
