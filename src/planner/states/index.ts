import type { MemberState } from '../../domain/index.ts'
import type { Outcome, Script } from '../machine/script.ts'
import { assessing } from './assessing.ts'
import { awaitingUsp, binding } from './joining.ts'
import { preparing } from './preparing.ts'
import { retiring } from './retiring.ts'
import { rollingBack } from './rolling-back.ts'
import { dual } from './soaking.ts'
import { verifying } from './verifying.ts'

/** The script of a state. Undefined: there is nothing to do now. */
type StateScript = (script: Script) => Promise<Outcome | undefined>

/** The script of each state that does something. Members in other states wait for an event. */
export const STATE_SCRIPTS: Partial<Record<MemberState, StateScript>> = {
  UNASSESSED: assessing,
  ELIGIBLE: async () => ({ kind: 'event', event: 'queue' }),
  PREPARING: preparing,
  AWAITING_USP: awaitingUsp,
  BINDING: binding,
  VERIFYING: verifying,
  DUAL: dual,
  RETIRING: retiring,
  ROLLING_BACK: rollingBack,
  BACKOFF: async ({ member, deps }) =>
    (member.dueMs ?? 0) <= deps.time.now() ? { kind: 'event', event: 'again' } : undefined,
}
