import type { MemberState } from '../../domain/index.ts'
import type { Outcome, Script } from '../script.ts'
import { awaitingUsp, binding } from './joining.ts'
import { preparing } from './preparing.ts'
import { retiring } from './retiring.ts'
import { rollingBack } from './rolling-back.ts'
import { dual } from './soaking.ts'
import { verifying } from './verifying.ts'

/** The script of each state that does something. */
export const STATE_SCRIPTS: Partial<Record<MemberState, (script: Script) => Promise<Outcome>>> = {
  PREPARING: preparing,
  AWAITING_USP: awaitingUsp,
  BINDING: binding,
  VERIFYING: verifying,
  DUAL: dual,
  RETIRING: retiring,
  ROLLING_BACK: rollingBack,
}
