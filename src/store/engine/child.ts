import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { AppError, errorText } from '../../base/index.ts'

const READY_TIMEOUT_MS = 60_000
/** An engine that is asked to end is killed after so long. */
export const STOP_TIMEOUT_MS = 15_000

/**
 * Resolves with the port that the engine names, 0 when it names none. AppError `unavailable` when it ends before or
 * takes too long.
 */
export function untilReady(child: ChildProcess, ready: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    let said = ''
    const finish = (result: number | Error) => {
      clearTimeout(timer)
      child.stdout?.off('data', onData)
      child.stderr?.off('data', onError)
      child.off('exit', onExit)
      child.off('error', onFailure)
      if (typeof result === 'number') resolve(result)
      else reject(result)
    }
    const onData = (data: Buffer) => {
      text = (text + data.toString()).slice(-4000)
      const match = ready.exec(text)
      if (match !== null) finish(Number(match.groups?.port ?? 0))
    }
    const onError = (data: Buffer) => {
      said = (said + data.toString()).slice(-400)
    }
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      const last = `${text.slice(-400)} ${said}`.trim()
      finish(
        new AppError(
          'unavailable',
          `the database engine ended (${signal ?? `exit ${code}`}) before it was ready: ${last}`,
        ),
      )
    }
    const onFailure = (cause: Error) =>
      finish(new AppError('unavailable', `the database engine cannot be started: ${errorText(cause)}`, { cause }))
    const timer = setTimeout(
      () =>
        finish(new AppError('unavailable', `the database engine was not ready within ${READY_TIMEOUT_MS / 1000} s`)),
      READY_TIMEOUT_MS,
    )
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onError)
    child.once('exit', onExit)
    child.once('error', onFailure)
  })
}

/** Ends a process in order, and by force when it takes too long. Resolves when it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(force)
}
