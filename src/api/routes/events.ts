import type { FeedEvent } from '../../device/index.ts'
import type { ApiDeps } from '../ports.ts'
import { type Route, route } from '../route.ts'
import { Any, page } from '../schemas.ts'
import { withTimes } from '../views.ts'
import { z } from '../zod.ts'

const Filter = z.object({
  deviceId: z.string().max(400).optional(),
  planId: z.string().max(100).optional(),
  type: z.string().max(400).optional().describe('Comma list of event types'),
})
const MAX_STREAMS = 200
const BATCH = 500
const HEARTBEAT_MS = 15_000
/** Other instances' events are found by looking. */
const POLL_MS = 2000
const MAX_BUFFERED = 1024 * 1024

export function eventRoutes(deps: ApiDeps): Route[] {
  let streams = 0
  return [
    route({
      method: 'get',
      path: '/events',
      id: 'listEvents',
      tag: 'Events',
      summary: 'Events after an id, oldest first; the newest ones without it',
      scope: 'read',
      query: Filter.extend({
        after: z.string().max(100).optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      }),
      responses: { 200: { description: 'Events', schema: page(Any) } },
      async handle({ query }) {
        const events = await deps.events.since(query.after, query.limit)
        return { body: { items: events.filter((event) => wanted(event, query)).map(withTimes) } }
      },
    }),
    route({
      method: 'get',
      path: '/events/stream',
      id: 'streamEvents',
      tag: 'Events',
      summary: 'Events as they happen (server-sent events)',
      description:
        'Each has an id; a reader that comes back with it in Last-Event-ID misses nothing. A reader too slow to follow is closed.',
      scope: 'read',
      query: Filter.extend({ after: z.string().max(100).optional() }),
      responses: { 200: { description: 'text/event-stream', contentType: 'text/event-stream' } },
      handle: async () => ({ status: 500 }),
      async stream({ query, header }, request, response) {
        if (streams >= MAX_STREAMS) {
          response.status(503).setHeader('retry-after', '10').end()
          return
        }
        streams++
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        response.write(': isthmus\n\n')
        let last = header('last-event-id') ?? query.after ?? (await deps.events.since(undefined, 1)).at(-1)?.id ?? '0'
        let nudge: () => void = () => undefined
        let open = true
        const off = deps.events.onAppended(() => nudge())
        request.on('close', () => {
          open = false
          nudge()
        })
        let quietSince = deps.clock.now()
        try {
          // Always read from the log by id, live or not: nothing is lost or told twice between history and present.
          while (open && !response.destroyed) {
            const events = await deps.events.since(last, BATCH)
            for (const event of events) {
              last = event.id
              if (wanted(event, query))
                response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(withTimes(event))}\n\n`)
            }
            if (response.writableLength > MAX_BUFFERED) break
            if (events.length > 0) quietSince = deps.clock.now()
            if (deps.clock.now() - quietSince > HEARTBEAT_MS) {
              response.write(': still here\n\n')
              quietSince = deps.clock.now()
            }
            if (events.length < BATCH && open) await pause((wake) => (nudge = wake))
          }
        } finally {
          streams--
          off()
          response.end()
        }
      },
    }),
  ]
}

/** Until something is appended here, or it is time to look. */
function pause(arm: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, POLL_MS)
    timer.unref()
    arm(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function wanted(
  event: FeedEvent,
  filter: { deviceId?: string | undefined; planId?: string | undefined; type?: string | undefined },
): boolean {
  if (filter.deviceId !== undefined && event.deviceId !== filter.deviceId) return false
  if (filter.planId !== undefined && event.planId !== filter.planId) return false
  return filter.type === undefined || filter.type.split(',').includes(event.type)
}
