import type { Clock } from '../../base/index.ts'
import {
  type RouterCallOptions,
  type RouterCommand,
  type RouterOs,
  RouterOsError,
  type RouterReply,
  type RouterStream,
  type RouterStreamEvents,
} from '../../routeros/index.ts'
import type { BridgeMetrics } from './bridge-metrics.ts'

/** Counts the commands that a router is sent, and the time until each is over, the wait for its turn among it. */
export class MeasuredRouter implements RouterOs {
  readonly #router: RouterOs
  readonly #metrics: Pick<BridgeMetrics, 'routerCommand'>
  readonly #clock: Pick<Clock, 'now'>

  constructor(router: RouterOs, metrics: Pick<BridgeMetrics, 'routerCommand'>, clock: Pick<Clock, 'now'>) {
    this.#router = router
    this.#metrics = metrics
    this.#clock = clock
  }

  get localAddress(): string | undefined {
    return this.#router.localAddress
  }

  get remoteAddress(): string | undefined {
    return this.#router.remoteAddress
  }

  async command(command: RouterCommand, options?: RouterCallOptions): Promise<RouterReply> {
    const begin = this.#clock.now()
    let outcome = 'done'
    try {
      return await this.#router.command(command, options)
    } catch (error) {
      outcome = error instanceof RouterOsError ? error.kind : 'failed'
      throw error
    } finally {
      const kind = command.writes === true ? 'write' : 'read'
      this.#metrics.routerCommand(kind, outcome, this.#clock.now() - begin)
    }
  }

  stream(command: RouterCommand, events: RouterStreamEvents, options?: RouterCallOptions): RouterStream {
    return this.#router.stream(command, events, options)
  }

  close(): Promise<void> {
    return this.#router.close()
  }
}
