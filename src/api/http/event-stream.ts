import type { Clock } from '../../base/index.ts'
import type { EventFeed } from '../../desk/index.ts'
import type { FeedEvent } from '../../domain/index.ts'
import type { Request, Response } from './express.ts'

/** A filter of events: each part that is given must match. */
interface EventFilter {
  deviceId?: string | undefined
  planId?: string | undefined
  /** Comma list. */
  type?: string | undefined
}

interface StreamDeps {
  feed: EventFeed
  filter: EventFilter
  /** Returns true while the reader still has the permission. */
  allowed(): Promise<boolean>
  /** Aborts when the server stops. */
  stopping: AbortSignal
  clock: Clock
  /** Calls a listener after each commit of this process; the returned function unsubscribes. */
  onAppended(wake: () => void): () => void
  view(event: FeedEvent): Record<string, unknown>
}

/** Events in one read of the log. */
const BATCH = 500
/** A comment is sent after this time without events, and the permission is checked so often. Milliseconds. */
const HEARTBEAT_MS = 15_000
/** The log is read at least so often: other instances append to it, too. Milliseconds. */
const POLL_MS = 2000
/** A reader with more unsent bytes is closed. */
const MAX_BUFFERED = 1024 * 1024

/** One stream of server-sent events (WHATWG HTML 9.2) to one reader. */
export class EventStream {
  readonly #deps: StreamDeps
  #isOpen = true
  #wake: () => void = () => undefined

  constructor(deps: StreamDeps) {
    this.#deps = deps
  }

  /** Sends events after an id, or new ones only, until the reader or the server ends the stream. */
  async run(after: string | undefined, request: Request, response: Response): Promise<void> {
    const { feed, stopping, onAppended } = this.#deps
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    response.write(': isthmus\n\n')
    const end = () => {
      this.#isOpen = false
      this.#wake()
    }
    const start = after ?? (await feed.since(undefined, BATCH)).at(-1)?.id ?? '0'
    const off = onAppended(() => this.#wake())
    request.on('close', end)
    stopping.addEventListener('abort', end)
    if (stopping.aborted) end()
    try {
      await this.#send(start, response)
    } finally {
      off()
      stopping.removeEventListener('abort', end)
      response.end()
    }
  }

  /** Reads the log by id throughout, so that no event between history and present is lost or sent twice. */
  async #send(start: string, response: Response): Promise<void> {
    const { feed, filter, allowed, clock, view } = this.#deps
    let last = start
    let quietSince = clock.now()
    let checkedAt = quietSince
    while (this.#isOpen && !response.destroyed) {
      const events = await feed.since(last, BATCH)
      for (const event of events) {
        last = event.id
        if (isWanted(event, filter))
          response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(view(event))}\n\n`)
      }
      if (response.writableLength > MAX_BUFFERED) return
      const now = clock.now()
      if (events.length > 0) quietSince = now
      if (now - checkedAt > HEARTBEAT_MS) {
        checkedAt = now
        // A key that was revoked since reads no further.
        if (!(await allowed())) return
      }
      if (now - quietSince > HEARTBEAT_MS) {
        response.write(': still here\n\n')
        quietSince = now
      }
      if (events.length < BATCH && this.#isOpen) await this.#pause()
    }
  }

  /** Waits until this process appends something, or for POLL_MS. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Returns true when an event matches a filter. */
export function isWanted(event: FeedEvent, filter: EventFilter): boolean {
  if (filter.deviceId !== undefined && event.deviceId !== filter.deviceId) return false
  if (filter.planId !== undefined && event.planId !== filter.planId) return false
  return filter.type === undefined || filter.type.split(',').includes(event.type)
}
