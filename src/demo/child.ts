import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { AppError } from '../base/index.ts'

/** A part of the demo in a process of its own: the server or the simulated fleet. */
export interface Child {
  readonly name: string
  readonly process: ChildProcess
  /** The content of its message `ready`. */
  readonly ready: Record<string, unknown>
  /** Asks it to stop and waits; resolves with its exit code. */
  stop(): Promise<number | null>
}

interface ChildOptions {
  name: string
  script: string
  args: string[]
  /** Options of Node itself; default: those of this process. */
  execArgv?: string[]
  env?: NodeJS.ProcessEnv
  /** The folder it runs in; default: this process's. */
  cwd?: string
  /** Time within which it must send `ready`, in milliseconds. */
  readyTimeoutMs: number
  /** File descriptor for its output. */
  logFd: number
  /** The file of that descriptor: when the child ends early, its last sentence there is the reason. */
  logFile?: string
  onStarted?(pid: number | undefined): void
  onMessage?(message: Record<string, unknown>): void
}

/** Starts a child and waits for its message `{ type: 'ready', ... }`; its output is appended to a file. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const logged = options.logFile === undefined ? 0 : statSync(options.logFile).size
  const child = fork(options.script, options.args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    execArgv: options.execArgv ?? process.execArgv,
    // Its own group: Ctrl-C reaches the demo alone, which then stops its children in order.
    detached: true,
    stdio: ['ignore', options.logFd, options.logFd, 'ipc'],
  })
  options.onStarted?.(child.pid)
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new AppError('timeout', `the ${options.name} was not ready within ${options.readyTimeoutMs / 1000} s`))
    }, options.readyTimeoutMs)
    child.on('message', (message: Record<string, unknown>) => {
      if (message.type === 'ready') {
        clearTimeout(timer)
        resolve(message)
      } else options.onMessage?.(message)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      const why = lastSentence(options.logFile, logged) ?? signal ?? `exit ${code}`
      reject(new AppError('unavailable', `the ${options.name} ended: ${why}`))
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
  return {
    name: options.name,
    process: child,
    ready,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(force)
      return child.exitCode
    },
  }
}

/**
 * Returns the last new line that is no log line: log lines are JSON, and the lines of a stack say less than the line
 * above it.
 */
function lastSentence(file: string | undefined, from: number): string | undefined {
  if (file === undefined) return undefined
  const lines = readFileSync(file).subarray(from).toString().split('\n')
  return lines.filter((line) => line.trim() !== '' && !/^(\{|\s+at |\s)/.test(line)).at(-1)
}
