import type { Operation, OperationRequest, PathOutcome } from '../../domain/index.ts'
import { StepFailed } from '../../rollout/index.ts'
import type { Script, StepResult } from '../machine/script.ts'

/** Parameters of our own Controller row whose value has no effect on the device: each device has one of the two. */
const TEXTS = ['ControllerCode', 'ProvisioningCode']
/**
 * The parameter that is written where neither can be: how often the Agent sends a Periodic notification. The value must
 * be restored.
 */
const INTERVAL = 'PeriodicNotifInterval'
/** Any error of an Agent: those of Messages (70xx), of the data model (72xx) and of vendors (78xx, 79xx). */
const OF_AGENT = /^7(0|2|8|9)\d\d$/
/**
 * These say nothing of the parameter: the Message failed (7000), the Agent knows no such Message (7001), it has a
 * problem of its own (7003) or no room (7005). Another parameter would meet the same. All other errors of a Set, also
 * 7020 and 7021, say that this one cannot be written.
 */
const OF_MESSAGE = /^700[0135]$/

/** The parameter to which a harmless value can be written over USP, as an earlier step found out. */
export function probePath(script: Script): string {
  return ownRow(script) + (script.facts.probe ?? TEXTS[0])
}

/** A value for it that it has not had: visit and round make it another one each time. */
export function probeValue({ facts, plan, member }: Script, round: number): string {
  const times = 10 * member.visit + round
  if (facts.probe === INTERVAL) return String(plan.settings.controller.periodicNotifIntervalS + times)
  return `isthmus-${plan.id.slice(-8)}-${times}`
}

/** The values to write after probing with a parameter that has an effect. */
export function asBefore(script: Script): { path: string; value: string }[] {
  if (script.facts.probe !== INTERVAL) return []
  return [{ path: probePath(script), value: String(script.plan.settings.controller.periodicNotifIntervalS) }]
}

/**
 * Writes a harmless value over USP and reads it back, together with other paths. When the device refuses one parameter,
 * the next one is written.
 */
export async function harmlessSet(
  script: Script,
  others: string[],
): Promise<StepResult & { values: Map<string, PathOutcome> }> {
  let refusal = ''
  for (const name of [...TEXTS, INTERVAL]) {
    const path = ownRow(script) + name
    const value =
      name === INTERVAL
        ? String(script.plan.settings.controller.periodicNotifIntervalS)
        : `isthmus-${script.plan.id.slice(-8)}-${script.member.attempt}`
    const request: OperationRequest = { verb: 'set', values: [{ path, value }] }
    const paths = [path, ...others]
    const { operation, values } = await script.runThenRead(`set ${name}`, request, 'usp', paths, { tolerate: true })
    const error = errorOf(operation)
    if (error !== undefined && refusesParameter(operation)) {
      refusal = `${path}: ${error.code} ${error.text}`
      continue
    }
    if (error !== undefined) throw new StepFailed(error.code, `set: ${error.text}`, error.retryable)
    const found = values.get(path)?.value
    if (found !== value) throw new StepFailed('set', `${path} was set and is ${JSON.stringify(found)}`, true)
    return { facts: { probe: name, wrote: path }, values }
  }
  throw new StepFailed('set', `nothing of our own row can be written over USP; ${refusal}`, false)
}

function ownRow(script: Script): string {
  return script.require('controllerRow').replace('Device.USPAgent.', 'Device.LocalAgent.')
}

/**
 * Returns true when an error of the Agent is about the one parameter that was set. The error of the whole Set often only
 * says that it failed, and the one of the parameter says why.
 */
function refusesParameter({ result }: Operation): boolean {
  const errors = [result?.error, ...(result?.results ?? []).map((one) => one.error)]
  return errors.some((error) => error !== undefined && OF_AGENT.test(error.code) && !OF_MESSAGE.test(error.code))
}

function errorOf(operation: Operation): { code: string; text: string; retryable: boolean } | undefined {
  if (operation.state === 'done') return undefined
  return (
    operation.result?.error ??
    operation.result?.results.find((result) => result.error !== undefined)?.error ?? {
      code: operation.state,
      text: operation.state,
      retryable: true,
    }
  )
}
