import {
  type RouterCallOptions,
  type RouterCommand,
  type RouterOs,
  RouterOsError,
  type RouterReply,
  type RouterStream,
  type RouterStreamEvents,
} from '../../routeros/index.ts'

/** Texts of a router that refuses a command to this account, or on this device (RouterOS manual, API and device-mode). */
const NO_RIGHT = /not enough permissions|policy missing/i
const DEVICE_MODE = /not allowed by device-mode/i
const MAX_MISSING = 30

/** Notes which commands a router refuses because a right is missing, or because its device mode forbids them. */
export class RightsWatch implements RouterOs {
  readonly #router: RouterOs
  readonly #missing = new Set<string>()
  readonly #onMissing: () => void

  constructor(router: RouterOs, onMissing: () => void) {
    this.#router = router
    this.#onMissing = onMissing
  }

  /** Sentences that name what is missing, without repetitions. */
  get missing(): string[] {
    return [...this.#missing]
  }

  get localAddress(): string | undefined {
    return this.#router.localAddress
  }

  get remoteAddress(): string | undefined {
    return this.#router.remoteAddress
  }

  async command(command: RouterCommand, options?: RouterCallOptions): Promise<RouterReply> {
    try {
      return await this.#router.command(command, options)
    } catch (error) {
      this.#look(command, error)
      throw error
    }
  }

  stream(command: RouterCommand, events: RouterStreamEvents, options?: RouterCallOptions): RouterStream {
    const onEnd = (error?: RouterOsError) => {
      this.#look(command, error)
      events.onEnd(error)
    }
    return this.#router.stream(command, { onRow: (row) => events.onRow(row), onEnd }, options)
  }

  close(): Promise<void> {
    return this.#router.close()
  }

  /** Forgets what was missing: the account may have other rights since it logged in anew. */
  clear(): void {
    this.#missing.clear()
  }

  #look({ path }: RouterCommand, error: unknown): void {
    if (!(error instanceof RouterOsError) || error.kind !== 'trap') return
    const texts = [error.message, ...error.all].join('\n')
    const text = NO_RIGHT.test(texts)
      ? `the account may not ${path}: give its group the right`
      : DEVICE_MODE.test(texts)
        ? `the device mode of the router forbids ${path}: it is changed at the router itself`
        : undefined
    if (text === undefined || this.#missing.has(text) || this.#missing.size >= MAX_MISSING) return
    this.#missing.add(text)
    this.#onMissing()
  }
}
