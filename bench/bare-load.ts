import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { HostedRouter } from './hosted-routers.ts'

/** Further routers to connect to. */
export interface BareStart {
  id: number
  routers: readonly HostedRouter[]
  certificate: string
}

/** Sentences that one router is sent, one after the other. */
export interface BareCall {
  id: number
  index: number
  sentences: readonly (readonly string[])[]
}

/** From now on no socket waits for acknowledgements between words. */
export interface BareHaste {
  id: number
}

/** The package node-routeros alone, in a process of its own. */
export class BareLoad {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (error: string | undefined) => void>()
  #calls = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? 0
    child.on('message', ({ id, error }: { id: number; error?: string }) => {
      this.#waiting.get(id)?.(error)
      this.#waiting.delete(id)
    })
  }

  static async start(): Promise<BareLoad> {
    const child = fork(resolve(import.meta.dirname, 'bare-routeros.js'), { stdio: 'inherit' })
    await once(child, 'message')
    return new BareLoad(child)
  }

  /** Connects to further routers, one after the other. */
  connect(routers: readonly HostedRouter[], certificate: string): Promise<void> {
    return this.#ask((id) => ({ id, routers, certificate }))
  }

  /** Resolves when the router has answered all of the sentences. */
  send(index: number, sentences: readonly (readonly string[])[]): Promise<void> {
    return this.#ask((id) => ({ id, index, sentences }))
  }

  /** From now on words leave at once, which the package does not do by itself. */
  hurry(): Promise<void> {
    return this.#ask((id) => ({ id }))
  }

  stop(): void {
    this.#child.kill('SIGTERM')
  }

  #ask(callOf: (id: number) => BareStart | BareCall | BareHaste): Promise<void> {
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (error) => (error === undefined ? resolve() : reject(new Error(error))))
      this.#child.send(callOf(id))
    })
  }
}
