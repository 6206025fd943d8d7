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
  /** The errors of a plan that has failed; empty for any other. */
  errorsOf(plan: Plan): ParamError[]
  /** The text of the refusal. */
  refusal: string
}

/**
 * Does the parts of a request (TR-369 7.4): with allow_partial one by one, otherwise together or not at all. Rejects
 * with RequestRefused when one of them fails that way.
 */
export async function doPlans<Plan>({ plans, allowPartial, act, errorsOf, refusal }: Plans<Plan>): Promise<void> {
  if (allowPartial) {
    for (const plan of plans) await act([plan])
    return
  }
  const refuse = () => {
    const errors = plans.flatMap(errorsOf)
    if (errors.length > 0) throw new RequestRefused(codeOf(errors), refusal, errors)
  }
  refuse()
  await act([...plans])
  refuse()
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
