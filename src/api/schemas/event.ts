import { timeOfId } from '../../base/index.ts'
import { EVENT_TYPES, isDeviceId, MAX_DEVICE_ID } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { Facts, page, time } from './common.ts'
import { ProtocolSchema } from './device.ts'

const EventSchema = z
  .object({
    id: z.string().describe('Ids sort in the order of commits'),
    type: z.enum(EVENT_TYPES).openapi('EventType'),
    at: time(),
    deviceId: z.string().optional(),
    protocol: ProtocolSchema.optional(),
    planId: z.string().optional(),
    groupId: z.string().optional(),
    data: Facts.describe('Facts, by type of event'),
  })
  .openapi('Event')
export const EventPage = page('Event', EventSchema)

export const EventFilter = z.object({
  deviceId: z.string().max(MAX_DEVICE_ID).refine(isDeviceId, 'is not the id of a device').optional(),
  planId: z.string().max(100).optional(),
  type: z.string().max(400).optional().describe('Comma list of event types'),
})
export const EventId = z.string().refine((id) => id === '0' || !Number.isNaN(timeOfId(id)), 'is not the id of an event')
export const EventQuery = EventFilter.extend({
  after: EventId.optional().describe('`next` of the answer before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
