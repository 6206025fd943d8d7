import { AppError, timeOfId } from '../../base/index.ts'
import { asDeviceId, type DeviceId, type FeedEvent, isDeviceId, MAX_DEVICE_ID } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import { StreamShares } from '../http/stream-shares.ts'
import { z } from '../http/zod.ts'
import type { ApiDeps } from '../ports.ts'
import { Any, page } from '../schemas/schemas.ts'
import { withTimes } from '../views/views.ts'

const Filter = z.object({
  deviceId: z.string().max(MAX_DEVICE_ID).refine(isDeviceId, 'is no id of a device').optional(),
  planId: z.string().max(100).optional(),
  type: z.string().max(400).optional().describe('Comma list of event types'),
})
const EventId = z.string().refine((id) => id === '0' || !Number.isNaN(timeOfId(id)), 'is no id of an event')
const BATCH = 500
const NEWEST = 1000
const HEARTBEAT_MS = 15_000
/** Other instances' events are found by looking. */
const POLL_MS = 2000
const MAX_BUFFERED = 1024 * 1024
/**
 * Ids are in the order of commits within one instance. With several, one may commit an older id after another's newer one was read; so the
 * newest events are left until no instance can come before them.
 */
const SETTLE_MS = 3000
const INSTANCES_MS = 5000

export function eventRoutes(deps: ApiDeps): Route[] {
  const shares = new StreamShares()
  let several = { value: false, until: 0 }

  async function isShared(): Promise<boolean> {
    const now = deps.clock.now()
    // A clock that was set back must not put it off.
    if (several.until <= now || several.until > now + INSTANCES_MS) {
      several = { value: several.value, until: now + INSTANCES_MS }
      several = { ...several, value: (await deps.instances.alive(now)).length > 1 }
    }
    return several.value
  }

  /** Events after an id that nothing can come before any more, of one device where one is named. */
  async function since(id: string | undefined, limit: number, deviceId?: DeviceId): Promise<FeedEvent[]> {
    const shared = await isShared()
    const events =
      deviceId === undefined ? await deps.events.since(id, limit) : await deps.events.ofDevice(deviceId, id, limit)
    if (!shared) return events
    const settled = deps.clock.now() - SETTLE_MS
    const end = events.findIndex((event) => timeOfId(event.id) > settled)
    return end < 0 ? events : events.slice(0, end)
  }

  return [
    route({
      method: 'get',
      path: '/events',
      id: 'listEvents',
      tag: 'Events',
      summary: 'Events after an id, oldest first; the newest ones without it',
      scope: 'read',
      query: Filter.extend({
        after: EventId.optional().describe('`next` of the answer before'),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      }),
      responses: {
        200: { description: 'Events; `next` is where to go on, also when none of them was wanted', schema: page(Any) },
      },
      async handle({ query }) {
        const deviceId = query.deviceId === undefined ? undefined : asDeviceId(query.deviceId)
        // Without a place to go on from, the newest that are wanted: looked for among the newest of the device, or of all.
        if (query.after === undefined) {
          const newest = await since(undefined, NEWEST, deviceId)
          const found = newest.filter((event) => wanted(event, query)).slice(-query.limit)
          return { body: { items: found.map(withTimes), next: newest.at(-1)?.id ?? '0' } }
        }
        const events = await since(query.after, query.limit, deviceId)
        const next = events.at(-1)?.id ?? query.after
        const items = events.filter((event) => wanted(event, query)).map(withTimes)
        return { body: { items, next } }
      },
    }),
    route({
      method: 'get',
      path: '/events/stream',
      id: 'streamEvents',
      tag: 'Events',
      summary: 'Events as they happen (server-sent events)',
      description:
        'Each has an id; a reader that comes back with it in Last-Event-ID misses nothing. A reader too slow to follow is closed. 20 streams may be open with one API key, 100 from one address and 200 in all; more are 429.',
      scope: 'read',
      query: Filter.extend({ after: EventId.optional() }),
      headers: { 'Last-Event-ID': 'The id of the last event that was seen' },
      responses: { 200: { description: 'text/event-stream', contentType: 'text/event-stream' } },
      handle: async () => ({ status: 500 }),
      async stream({ query, header, actor, allowed, stopping }, request, response) {
        const seen = header('last-event-id')
        if (seen !== undefined && !EventId.safeParse(seen).success)
          throw new AppError('invalid', 'Last-Event-ID is no id of an event')
        const leave = shares.take(actor, request.ip ?? '')
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        response.write(': isthmus\n\n')
        let last = seen ?? query.after ?? (await since(undefined, BATCH)).at(-1)?.id ?? '0'
        let nudge: () => void = () => undefined
        let open = true
        const off = deps.events.onAppended(() => nudge())
        const end = () => {
          open = false
          nudge()
        }
        request.on('close', end)
        stopping.addEventListener('abort', end)
        if (stopping.aborted) end()
        let quietSince = deps.clock.now()
        let checkedAt = quietSince
        try {
          // Always read from the log by id, live or not: nothing is lost or told twice between history and present.
          while (open && !response.destroyed) {
            const events = await since(last, BATCH)
            for (const event of events) {
              last = event.id
              if (wanted(event, query))
                response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(withTimes(event))}\n\n`)
            }
            if (response.writableLength > MAX_BUFFERED) break
            if (events.length > 0) quietSince = deps.clock.now()
            if (deps.clock.now() - checkedAt > HEARTBEAT_MS) {
              checkedAt = deps.clock.now()
              // A key that was revoked meanwhile reads no further.
              if (!(await allowed())) break
            }
            if (deps.clock.now() - quietSince > HEARTBEAT_MS) {
              response.write(': still here\n\n')
              quietSince = deps.clock.now()
            }
            if (events.length < BATCH && open) await pause((wake) => (nudge = wake))
          }
        } finally {
          leave()
          off()
          stopping.removeEventListener('abort', end)
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
