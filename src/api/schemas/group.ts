import { MAX_DEVICE_ID, MAX_SELECTOR, SHOWN_PLAN_STATES } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { count, nameText, page, text, time } from './common.ts'
import { ReadinessClassSchema } from './device.ts'
import { PlanStatusSchema } from './plan.ts'

export const GroupInputSchema = z
  .strictObject({
    name: nameText(100),
    description: z.string().max(1000).optional(),
    selector: text(MAX_SELECTOR).optional(),
  })
  .openapi('GroupInput', { example: { name: 'gateways north', selector: 'manufacturer==Northbridge;tags==north' } })

export const GroupChangeSchema = GroupInputSchema.partial().openapi('GroupChange', {
  example: { name: 'gateways south' },
})

export const GroupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    selector: z.string().optional().describe('RSQL; absent: static members only'),
    revision: z.number().int().describe('The ETag'),
    createdAt: time(),
    updatedAt: time(),
  })
  .openapi('Group')
export const GroupPage = page('Group', GroupSchema)
export const SizedGroupSchema = GroupSchema.extend({
  devices: count().describe('Number of its devices'),
}).openapi('SizedGroup')

export const MembersInput = z
  .strictObject({
    add: z.array(text(MAX_DEVICE_ID)).max(10_000).default([]),
    remove: z.array(text(MAX_DEVICE_ID)).max(10_000).default([]),
  })
  .openapi('MembersInput')
export const MembersChangeSchema = z
  .object({
    changed: count().describe('Number of records that changed'),
    unknown: z.array(z.string()).describe('Ids that no device has'),
  })
  .openapi('MembersChange')

export const GroupStatusSchema = z
  .object({
    groupId: z.string(),
    name: z.string(),
    devices: count(),
    protocols: z
      .object({ cwmp: count(), usp: count(), uspLinked: count() })
      .openapi('PresenceCounts')
      .describe('Devices by owner, and those whose USP link stands'),
    countedAt: time().describe('The devices were counted then: at most ten seconds ago'),
    plan: PlanStatusSchema.optional().describe('The plan that moves devices, or that was started last'),
    plans: z
      .array(z.object({ id: z.string(), name: z.string(), state: z.enum(SHOWN_PLAN_STATES) }).openapi('PlanHeading'))
      .describe('The newest 100 plans of the group, newest first, and all that move devices'),
    truncated: z.literal(true).optional().describe('The group has older plans: GET /plans?groupId=<id> lists all'),
  })
  .openapi('GroupStatus')

const onUsp = count().describe('Those of them that USP owns already')
export const ReadinessQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('At most so many models and firmwares'),
})
export const ReadinessStatusSchema = z
  .object({
    groupId: z.string().optional().describe('Absent: all devices'),
    name: z.string().optional(),
    devices: count(),
    onUsp,
    countedAt: time().describe('The devices were counted then: at most ten seconds ago'),
    classes: z
      .array(
        z
          .object({
            class: ReadinessClassSchema,
            devices: count(),
            onUsp,
            reasons: z
              .array(z.object({ text: z.string(), devices: count() }).openapi('ReasonCount'))
              .describe('The ten most frequent reasons'),
          })
          .openapi('ClassReadiness'),
      )
      .describe('Classes that have devices'),
    firmwares: z
      .array(
        z
          .object({
            manufacturer: z.string().optional(),
            model: z.string().optional(),
            softwareVersion: z.string().optional(),
            devices: count(),
            onUsp,
            classes: z.partialRecord(ReadinessClassSchema, count()).describe('Devices by class'),
            reasons: z
              .array(
                z
                  .object({ class: ReadinessClassSchema, text: z.string(), devices: count() })
                  .openapi('ClassReasonCount'),
              )
              .describe('The three most frequent reasons'),
          })
          .openapi('FirmwareReadiness'),
      )
      .describe('By model and firmware, those with the most devices first'),
    truncated: z.literal(true).optional().describe('More models and firmwares exist than are listed here'),
  })
  .openapi('ReadinessStatus', {
    example: {
      groupId: '01JD0000000000000000000000',
      name: 'north',
      devices: 3,
      onUsp: 1,
      countedAt: '2026-01-31T12:00:00.000Z',
      classes: [
        {
          class: 'READY_STANDARD',
          devices: 2,
          onUsp: 1,
          reasons: [{ text: 'it shows the Endpoint ID of an Agent', devices: 2 }],
        },
        {
          class: 'NEEDS_DATA_MODEL',
          devices: 1,
          onUsp: 0,
          reasons: [{ text: 'the device has no Device.USPAgent.', devices: 1 }],
        },
      ],
      firmwares: [
        {
          manufacturer: 'Acme',
          model: 'M7',
          softwareVersion: '2.0.1',
          devices: 3,
          onUsp: 1,
          classes: { READY_STANDARD: 2, NEEDS_DATA_MODEL: 1 },
          reasons: [
            { class: 'READY_STANDARD', text: 'it shows the Endpoint ID of an Agent', devices: 2 },
            { class: 'NEEDS_DATA_MODEL', text: 'the device has no Device.USPAgent.', devices: 1 },
          ],
        },
      ],
    },
  })
