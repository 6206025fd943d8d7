import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

/** An emulated router as a client has to know it. */
export interface HostedRouter {
  serial: string
  /** Of its API over TLS. */
  port: number
  username: string
  password: string
  fingerprint: string
  /** MAC address of a client of its radios. */
  client: string
}

/** A question to the process of the routers: a level in dBm, the begin of a recording, or its end. */
export interface HostCall {
  index: number
  signal?: number
  record?: boolean
}

/** Emulated routers in a process of their own. */
export class HostedRouters {
  readonly all: readonly HostedRouter[]
  /** PEM of the certificate that all of them have. */
  readonly certificate: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, ready: { routers: HostedRouter[]; cert: string }) {
    this.#child = child
    this.all = ready.routers
    this.certificate = ready.cert
  }

  /** Resolves when the routers take connections. */
  static async start(count: number): Promise<HostedRouters> {
    const child = fork(resolve(import.meta.dirname, 'router-host.js'), [String(count)], { stdio: 'inherit' })
    const [ready] = await once(child, 'message')
    return new HostedRouters(child, ready)
  }

  /** The client of a router is heard at this level from now on; resolves with the time, in milliseconds. */
  async signal(index: number, dbm: number): Promise<number> {
    return Number((await this.#ask({ index, signal: dbm })).at)
  }

  /** Resolves with the sentences that a router is sent during `work`, without their tags. */
  async sentencesOf(index: number, work: () => Promise<unknown>): Promise<string[][]> {
    await this.#ask({ index, record: true })
    await work()
    return (await this.#ask({ index, record: false })).sentences ?? []
  }

  /** Returns the table that `isthmus bridge --routers` takes. */
  table(count: number): string {
    const lines = this.all
      .slice(0, count)
      .map(({ port, username, password, fingerprint }) =>
        ['127.0.0.1', port, 'api-ssl', username, password, fingerprint, 'L1'].join(','),
      )
    return ['address,port,transport,username,password,fingerprint,policy', ...lines, ''].join('\n')
  }

  stop(): void {
    this.#child.kill('SIGTERM')
  }

  async #ask(call: HostCall): Promise<{ at?: number; sentences?: string[][] }> {
    const answer = once(this.#child, 'message')
    this.#child.send(call)
    return (await answer)[0]
  }
}
