import {
  type Device,
  failedResult,
  type Operation,
  type OutcomeError,
  outcomeError,
  type Protocol,
  wasResetSince,
} from '../domain/index.ts'
import { migrationRefusal } from './authorize.ts'
import { otherBootAfter } from './boot-reason.ts'
import type { ContactEntry } from './contacts.ts'
import type { OperationLimits } from './limits.ts'
import {
  judgeByRecord,
  LOST_COMMAND_MS,
  OUTCOME_UNKNOWN,
  playsDiagnostic,
  readsToReconcile,
  runsAsRequest,
  type Verdict,
} from './reconcile.ts'
import {
  endsByCompletion,
  isExclusive,
  isRead,
  isRestart,
  isTrusted,
  mayUseUsp,
  protocolOf,
  waitsAlone,
} from './verbs.ts'

/** The next step of a pass over a device. */
export type Step =
  /** No operation is open: the work flag is cleared. */
  | { kind: 'empty' }
  /** An operation is open and cannot run now. */
  | { kind: 'wait'; why: 'contact' | 'busy' | 'elsewhere' }
  | { kind: 'run'; operation: Operation; protocol: Protocol }
  /** This instance sent it and does not run it: the answer is lost. */
  | { kind: 'lost'; operation: Operation }
  /** Read the device to reconcile the operation. */
  | { kind: 'read'; operation: Operation; protocol: Protocol }
  | { kind: 'judged'; operation: Operation; verdict: NonNullable<Verdict> }
  | { kind: 'expired'; operation: Operation }
  | { kind: 'refused'; operation: Operation; error: OutcomeError }

/** The facts of one choice. */
export interface Situation {
  /** Open operations of the device, oldest first. */
  open: Operation[]
  device: Pick<Device, 'owner' | 'migration' | 'cwmp' | 'usp' | 'softwareVersion'>
  /** The usable contacts of the device, by protocol. */
  here: ReadonlyMap<Protocol, Pick<ContactEntry, 'since' | 'asked'>>
  instance: string
  now: number
  limits: OperationLimits
}

type Ways = Situation['here']

/** The operations before this one that were sent and have not ended. */
interface Ahead {
  /** Any operation: exclusive ones wait for it. */
  busy: boolean
  /** An exclusive operation: all but reads wait for it. */
  exclusive: boolean
}

/**
 * Chooses the next step from the queue of a device, as a pure function. The oldest operation is first, over both
 * protocols together. An operation whose answer was lost is reconciled before a new one is sent. An exclusive operation
 * runs alone, but reads pass one whose end is not reported. An operation that waits for the other protocol holds back
 * all later ones, except for a read that names an absent protocol and a write that names the protocol that is not the
 * owner: a device that is silent over CWMP can be managed over USP, its owner.
 */
export function pick(situation: Situation): Step {
  if (situation.open.length === 0) return { kind: 'empty' }
  const ahead: Ahead = { busy: false, exclusive: false }
  for (const operation of situation.open) {
    if (operation.state === 'queued') {
      const step = pickQueued(operation, situation, ahead)
      if (step !== undefined) return step
      continue
    }
    const step = pickSent(operation, situation)
    if (step !== undefined) return step
    // The device still runs it: nothing may run beside an exclusive one, and nothing exclusive beside a command.
    if (isExclusive(operation.request)) {
      if (!readsMayPass(operation, situation)) return { kind: 'wait', why: 'busy' }
      ahead.exclusive = true
    }
    ahead.busy = true
  }
  return { kind: 'wait', why: ahead.busy ? 'busy' : 'contact' }
}

/**
 * Returns true when reads may run beside an exclusive operation that was sent: the device made a new contact after it,
 * or its contact lasts for so long that it did not restart.
 */
export function readsMayPass(
  { sentAt, createdAt }: Operation,
  { here, now, limits }: Pick<Situation, 'here' | 'now' | 'limits'>,
): boolean {
  const since = sentAt ?? createdAt
  return now - since >= limits.readsPassMs || [...here.values()].some((entry) => entry.since > since)
}

function pickQueued(operation: Operation, situation: Situation, ahead: Ahead): Step | undefined {
  const { device } = situation
  if (operation.expiresAt <= situation.now) return { kind: 'expired', operation }
  if (wasResetSince(operation.bootstrapAt, device)) return { kind: 'refused', operation, error: RESET }
  const refusal = refusalNow(operation, device)
  if (refusal !== undefined) return { kind: 'refused', operation, error: outcomeError('conflict', refusal, true) }
  const waits = (ahead.exclusive && !isRead(operation.request)) || (ahead.busy && isExclusive(operation.request))
  if (waits) return { kind: 'wait', why: 'busy' }
  const protocol = choose(protocolOf(operation, device.owner), device.owner, waysOf(operation, situation))
  if (protocol !== undefined) return { kind: 'run', operation, protocol }
  return waitsAlone(operation, device.owner) ? undefined : { kind: 'wait', why: 'contact' }
}

/** The error of a request whose rows were read before a factory reset. */
export const RESET = outcomeError(
  'bootstrap',
  'the device was reset to factory settings after this was requested: its rows may have other numbers',
  true,
)

/**
 * Returns the reason for which a request that was accepted may not run any more: a migration began, or the owner has
 * changed.
 */
function refusalNow({ actor, request, via }: Operation, device: Situation['device']): string | undefined {
  if (isTrusted(actor) || isRead(request)) return undefined
  if (via !== undefined && via !== device.owner)
    return `writes to this device go over ${device.owner}, its owner now: request it again without \`via\``
  return migrationRefusal(device, request)
}

function pickSent(operation: Operation, situation: Situation): Step | undefined {
  const { device, now, limits, instance } = situation
  const pending = operation.result?.outcome === 'pending'
  if (operation.state === 'sent' && !pending) {
    return operation.instance === instance ? { kind: 'lost', operation } : { kind: 'wait', why: 'elsewhere' }
  }
  const verdict = judgeByRecord(operation, device, now, limits)
  if (verdict !== undefined) return { kind: 'judged', operation, verdict }
  if (pending || endsByCompletion(operation.request)) return pickEnd(operation, situation)
  if (readsToReconcile(operation).length === 0) {
    const error = { ...OUTCOME_UNKNOWN, retryable: true }
    return {
      kind: 'judged',
      operation,
      verdict: { state: 'failed', result: failedResult(error) },
    }
  }
  const protocol = choose(undefined, operation.sentVia ?? device.owner, waysOf(operation, situation, true))
  return protocol === undefined ? { kind: 'wait', why: 'contact' } : { kind: 'read', operation, protocol }
}

/**
 * Chooses a read for an operation that a completion ends. A contact after a reboot or reset shows by its uptime whether
 * the device has booted since; one after the start of a diagnostic shows its state. Each contact is asked once. An
 * Agent shows whether it runs a command: it is asked at the first contact after a lost answer, again when the
 * completion is overdue, and every `pendingTimeoutMs` about an accepted command. An Agent that has a new link may have
 * restarted, and its command with it: it is asked some time later, when the completion that it may owe has arrived.
 */
function pickEnd(operation: Operation, situation: Situation): Step | undefined {
  const { now, limits } = situation
  const sentAt = operation.sentAt ?? operation.createdAt
  const asRequest = runsAsRequest(operation)
  if (!asRequest && !isRestart(operation.request) && !playsDiagnostic(operation)) return undefined
  const only = asRequest ? 'usp' : playsDiagnostic(operation) ? 'cwmp' : undefined
  const accepted = operation.result?.outcome === 'pending'
  // The uptime would show that boot, and not which one it was.
  if (otherBootAfter(operation, situation.device.usp ?? {}, sentAt) !== undefined) return undefined
  const due = [...waysOf(operation, situation, true)].find(([protocol, { since, asked }]) => {
    if (only !== undefined && protocol !== only) return false
    const askedAt = asked.get(operation.id)
    const quietMs = now - Math.max(sentAt, askedAt ?? 0)
    if (asRequest && quietMs > (accepted ? limits.pendingTimeoutMs : LOST_COMMAND_MS)) return true
    if (since <= sentAt || askedAt !== undefined) return false
    return !(asRequest && accepted) || now - since > LOST_COMMAND_MS
  })
  return due === undefined ? undefined : { kind: 'read', operation, protocol: due[0] }
}

/** Returns the usable contacts that this operation, or a read about it, may take. */
function waysOf(operation: Operation, { device, here }: Pick<Situation, 'device' | 'here'>, reads?: boolean): Ways {
  if (!here.has('usp') || mayUseUsp(operation, device, reads)) return here
  return new Map([...here].filter(([protocol]) => protocol !== 'usp'))
}

function choose(
  needed: Protocol | undefined,
  preferred: Protocol,
  here: ReadonlyMap<Protocol, unknown>,
): Protocol | undefined {
  if (needed !== undefined) return here.has(needed) ? needed : undefined
  if (here.has(preferred)) return preferred
  const [other] = here.keys()
  return other
}
