import type { Operation, OperationRequest } from '../../domain/index.ts'
import { MustWait, StepFailed } from '../../rollout/index.ts'
import type { Script } from '../machine/script.ts'
import { asBefore, probePath, probeValue } from './probe.ts'

const SUBSCRIPTION = 'isthmus-verify'
/** Agents may find changes by polling: 10 s is the advice, 15 s is seen in the field. */
const PATIENCE_MS = 20_000
const ROUNDS = 2
/**
 * Errors about the command: all of an Agent, an answer that says neither success nor failure, and a command whose end
 * was not reported. The others are ours, about the device and its link.
 */
const ABOUT_COMMAND = /^(7\d{3}|protocol|outcomeUnknown)$/

/**
 * VERIFYING: our subscriptions deliver. The end of a timer shows it at once; a device without timers shows it by a
 * changed value.
 */
export async function notifies(script: Script): Promise<void> {
  await script.derived('timerMs', async () => ({ facts: { timerMs: script.deps.time.now() } }))
  await script.derived('timer', async () => ({
    facts: (await timer(script)) ? { timer: 'ended', notified: 'OperationComplete of a timer' } : { timer: 'none' },
  }))
  if (script.facts.timer === 'ended') return
  for (let round = 1; round <= ROUNDS; round++) {
    if (!(await change(script, round))) continue
    await script.step('asBefore', async () => {
      const values = asBefore(script)
      if (values.length > 0) await script.run('asBefore', { verb: 'set', values }, 'usp')
      return {}
    })
    return
  }
  throw new StepFailed('noNotify', 'the device does not notify of a value that was changed', true)
}

/**
 * Runs a command whose end is reported by OperationComplete alone. False: it did not end well. Whatever the Agent says
 * of the command (it has none, or we may not use it) is no verdict on its notifications.
 */
async function timer(script: Script): Promise<boolean> {
  const request = { verb: 'operate', command: 'Device.ScheduleTimer()', input: { DelaySeconds: '1' } } as const
  let operation: Operation
  try {
    operation = await script.run('timer', request, 'usp', { tolerate: true })
  } catch (error) {
    // The end of a command that got lost on a broken link may arrive late; a changed value shows it sooner.
    const overdue = script.deps.time.now() - script.require('timerMs') > PATIENCE_MS
    if (error instanceof MustWait && error.outcome.waiting === 'operation' && overdue) return false
    throw error
  }
  if (operation.state === 'done') return true
  const error = operation.result?.error ?? operation.result?.results.find((result) => result.error !== undefined)?.error
  if (error !== undefined && ABOUT_COMMAND.test(error.code)) return false
  throw new StepFailed(error?.code ?? 'failed', `timer: ${error?.text ?? 'failed'}`, error?.retryable ?? true)
}

/** Subscribes to our own text, changes it, and waits for the Notify, whichever instance receives it. */
async function change(script: Script, round: number): Promise<boolean> {
  const { notifies, time } = script.deps
  const path = probePath(script)
  const value = probeValue(script, round)
  const subscribe = (enable: boolean): OperationRequest => ({
    verb: 'subscribe',
    id: SUBSCRIPTION,
    notifType: 'ValueChange',
    paths: [path],
    enable,
  })
  await script.step(`position${round}`, async () => ({ facts: { watchedAfter: await notifies.position() } }))
  await script.step(`watch${round}`, async () => {
    await script.run(`subscribe${round}`, subscribe(true), 'usp')
    await script.run(`change${round}`, { verb: 'set', values: [{ path, value }] }, 'usp')
    return { facts: { watchedMs: time.now() } }
  })
  await script.step(`heard${round}`, async () => {
    if (await notifies.heard(script.member.deviceId, path, value, script.require('watchedAfter')))
      return { facts: { heard: true, notified: `ValueChange of ${path}` } }
    const leftMs = script.require('watchedMs') + PATIENCE_MS - time.now()
    if (leftMs > 0) throw new MustWait('operation', Math.min(leftMs, 1000))
    return {}
  })
  await script.step(`unwatch${round}`, async () => {
    await script.run(`unsubscribe${round}`, subscribe(false), 'usp')
    return {}
  })
  return script.facts.heard === true
}
