import { checkValue, type ModelParameter } from '../../datamodel/index.ts'
import type { ParamError } from '../wire/index.ts'
import { RequestRefused } from './request-refused.ts'

/** USP error code and text of a part of a request. */
export type Failure = { err_code: number; err_msg: string }

/** A part for which the Controller has no right (R-SEC.1). */
export const DENIED: Failure = { err_code: 7006, err_msg: 'the role of the Controller does not permit it' }

/** The parts of a Set, Add or Delete, and how they are done. */
interface Plans<Plan> {
  plans: readonly Plan[]
  allowPartial: boolean
  /** Does some plans, all or none, and notes the failure of each. */
  act(plans: Plan[]): Promise<void>
  /** Does some plans, each for itself; without it they are done one by one. */
  actEach?(plans: Plan[]): Promise<void>
  /** Does what may be done between the parts of a request with allow_partial. */
  betweenParts(): Promise<void>
  /** The errors of a plan that has failed; empty for any other. */
  errorsOf(plan: Plan): ParamError[]
  /** The text of the refusal. */
  refusal: string
}

/** Parts of a request with allow_partial that are done together, each for itself. */
const PARTS_AT_ONCE = 50

/**
 * Does the parts of a request (TR-369 7.4): with allow_partial each for itself, otherwise together or not at all. Rejects
 * with RequestRefused when one of them fails that way.
 */
export async function doPlans<Plan>(request: Plans<Plan>): Promise<void> {
  const { plans, allowPartial, act, errorsOf, refusal } = request
  if (allowPartial) return doEach(request)
  const refuse = () => {
    const errors = plans.flatMap(errorsOf)
    if (errors.length > 0) throw new RequestRefused(codeOf(errors), refusal, errors)
  }
  refuse()
  await act([...plans])
  refuse()
}

async function doEach<Plan>({ plans, act, actEach, betweenParts }: Plans<Plan>): Promise<void> {
  const size = actEach === undefined ? 1 : PARTS_AT_ONCE
  for (let at = 0; at < plans.length; at += size) {
    if (at > 0) await betweenParts()
    const some = plans.slice(at, at + size)
    await (some.length > 1 && actEach !== undefined ? actEach(some) : act(some))
  }
}

/** The code of the Error: 7006 when it is for want of rights alone, 7003 when the model failed, else 7004. */
function codeOf(errors: readonly ParamError[]): number {
  const [code = 0, ...others] = new Set(errors.map(({ err_code }) => err_code))
  return others.length === 0 && [DENIED.err_code, 7003].includes(code) ? code : 7004
}

/** Returns the reason why a value cannot be given to a parameter, by its type; undefined when it can. */
export function wrongValue(parameter: ModelParameter, value: string): Failure | undefined {
  const wrong = checkValue(parameter, value)
  if (wrong === undefined) return undefined
  const err_msg = `${JSON.stringify(value.slice(0, 80))} ${wrong.text}`
  return { err_code: wrong.kind === 'type' ? 7011 : 7012, err_msg }
}
