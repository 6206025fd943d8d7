import type { Clock } from '../base/index.ts'
import { type Actor, actorText, type Timestamp } from '../domain/index.ts'
import { type AuditEntry, type AuditLog, audited } from '../security/index.ts'

/** The parts that every audited change needs. */
export interface AuditDeps {
  audit: AuditLog
  clock: Clock
}

/** The place of a change in the audit log: what is done to what, and the facts before and after. */
type Deed = Pick<AuditEntry, 'action' | 'target' | 'before' | 'after'>

/**
 * Appends the audit entry of a change and then makes it: `work` gets the time and the text of the actor, for events.
 * Work that fails has a second entry with the reason.
 */
export function auditedBy<T>(
  { audit, clock }: AuditDeps,
  by: Actor,
  deed: Deed,
  work: (at: Timestamp, actor: string) => Promise<T>,
): Promise<T> {
  const at = clock.now()
  const actor = actorText(by)
  return audited(audit, { at, actor, ...deed }, () => work(at, actor))
}
