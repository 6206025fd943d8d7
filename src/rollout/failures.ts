import type { WaitingReason } from '../domain/index.ts'
import type { RolloutFacts } from './plan.ts'

/** A step did not work. `retryable`: another attempt may. */
export class StepFailed extends Error {
  readonly reason: { code: string; text: string }
  readonly retryable: boolean
  constructor(code: string, text: string, retryable: boolean) {
    super(text)
    this.reason = { code, text }
    this.retryable = retryable
  }
}

/** The script has to wait; it is run again later and finds its finished steps in the member. */
export class MustWait extends Error {
  readonly outcome: { kind: 'wait'; waiting: WaitingReason; afterMs: number; facts?: RolloutFacts }
  constructor(waiting: WaitingReason, afterMs: number, facts?: RolloutFacts) {
    super(waiting)
    this.outcome = { kind: 'wait', waiting, afterMs, ...(facts === undefined ? {} : { facts }) }
  }
}

/** The record of the device does not exist any more. */
export class DeviceGone extends Error {}
