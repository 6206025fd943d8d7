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
/**
 * The Agent does not know the parameter, or does not let it be written: 7004, 7006, 7008, 7010 to 7016, 7021, 7022,
 * 7026.
 */
const REFUSED = /^70(04|06|08|1[0-6]|2[126])$/

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
    if (error !== undefined && REFUSED.test(error.code)) {
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
