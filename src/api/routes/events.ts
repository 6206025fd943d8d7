import { AppError } from '../../base/index.ts'
import { EventFeed } from '../../desk/index.ts'
import { actorText, asDeviceId } from '../../domain/index.ts'
import { EventStream, isWanted } from '../http/event-stream.ts'
import { type Route, route } from '../http/route.ts'
import { StreamShares } from '../http/stream-shares.ts'
import { EventFilter, EventId, EventPage, EventQuery } from '../schemas/event.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Events'
/** Events among which the newest wanted ones are looked for. */
const NEWEST = 1000

/** The feed, in pages and as a stream. */
export function eventRoutes(deps: RouteDeps): Route[] {
  const feed = new EventFeed(deps)
  const shares = new StreamShares()
  return [
    route({
      method: 'get',
      path: '/events',
      id: 'listEvents',
      tag,
      summary: 'Events after an id, oldest first; the newest ones without it',
      permission: 'events.read',
      query: EventQuery,
      responses: {
        200: {
          description: 'Events; `next` is the id to go on from, also when no event matches the filter',
          schema: EventPage,
        },
      },
      async handle({ query }) {
        const deviceId = query.deviceId === undefined ? undefined : asDeviceId(query.deviceId)
        // Without an id to go on from, the newest that are wanted, among the newest of the device or of all.
        if (query.after === undefined) {
          const newest = await feed.since(undefined, NEWEST, deviceId)
          const found = newest.filter((event) => isWanted(event, query)).slice(-query.limit)
          return { body: { items: found.map(withTimes), next: newest.at(-1)?.id ?? '0' } }
        }
        const events = await feed.since(query.after, query.limit, deviceId)
        const items = events.filter((event) => isWanted(event, query)).map(withTimes)
        return { body: { items, next: events.at(-1)?.id ?? query.after } }
      },
    }),
    route({
      method: 'get',
      path: '/events/stream',
      id: 'streamEvents',
      tag,
      summary: 'Events as they happen (server-sent events)',
      description:
        'Each has an id; a reader that connects again with it in Last-Event-ID misses nothing. ' +
        'A reader too slow to follow is closed. 20 streams may be open with one API key, 100 from one address and ' +
        '200 in all; more are 429.',
      permission: 'events.read',
      query: EventFilter.extend({ after: EventId.optional() }),
      headers: { 'Last-Event-ID': 'The id of the last event that was seen' },
      responses: { 200: { description: 'text/event-stream', contentType: 'text/event-stream' } },
      handle: async () => ({ status: 500 }),
      async stream({ query, header, principal, allowed, stopping }, request, response) {
        const seen = header('last-event-id')
        if (seen !== undefined && !EventId.safeParse(seen).success)
          throw new AppError('invalid', 'Last-Event-ID is not the id of an event; use the id of the last one seen')
        const leave = shares.take(actorText(principal), request.ip ?? '')
        const stream = new EventStream({
          feed,
          filter: query,
          allowed,
          stopping,
          clock: deps.clock,
          onAppended: (wake) => deps.events.onAppended(wake),
          view: withTimes,
        })
        await stream.run(seen ?? query.after, request, response).finally(leave)
      },
    }),
  ]
}
