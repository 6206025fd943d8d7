import { MAX_DEVICE_ID } from '../../domain/index.ts'
import { z } from '../http/zod.ts'

const ONE_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u

/** A text of 1 to `max` characters. */
export const text = (max: number) => z.string().min(1).max(max)
/** A name that people give, of 1 to `max` characters on one line: it stands in lists, logs and terminals. */
export const nameText = (max: number) => text(max).regex(ONE_LINE, 'has no control characters and no line breaks')
/** A whole number from 0. */
export const count = () => z.number().int().min(0)
/** A time as ISO 8601 in UTC. */
export const time = () => z.string().openapi({ format: 'date-time' })

/** Facts by name, of any JSON value: their form depends on what they are about. */
export const Facts = z
  .record(z.string(), z.unknown())
  .openapi('Facts', { additionalProperties: true, description: 'Facts by name: any JSON values' })

/** The place of a mapped value in the device's own tree. */
export const MappedFromSchema = z
  .object({
    path: z.string().optional().describe('The parameter of its own; absent: it follows from several'),
    value: z.string().optional().describe('The text of that parameter'),
  })
  .openapi('MappedFrom', {
    description: 'Only where the device does not show this path itself: what the value was mapped from',
  })

export const Limit = z.coerce.number().int().min(1).max(1000).default(100).describe('At most so many items')
export const Cursor = z
  .string()
  .max(2000)
  .optional()
  .describe('`next` of the page before: of the same list with the same filter and sort')
export const Paging = z.object({ limit: Limit, cursor: Cursor })
export const IdParam = z.object({ id: text(100) })
export const DeviceIdParam = z.object({
  id: text(MAX_DEVICE_ID).describe('As the record shows it: OUI-ProductClass-SerialNumber, each part percent-encoded'),
})
/** The header of a change that must meet the revision that was read. */
export const IF_MATCH = { 'If-Match': 'The ETag that was read: 412 when it has changed since' }

/** A page of items as the component `<Name>Page`. Called once for each kind of item. */
export function page<T extends z.ZodType>(name: string, item: T) {
  return z
    .object({
      items: z.array(item),
      next: z.string().optional().describe('The cursor of the next page; absent on the last one'),
    })
    .openapi(`${name}Page`)
}

export const ProblemSchema = z
  .object({
    type: z.string().describe('`urn:isthmus:problem:<code>`'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('What happened, to what, and what to do'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }).openapi('ProblemPlace'))
      .optional()
      .describe('The parts of the request that are not valid'),
    confirm: z
      .string()
      .optional()
      .describe('Of `confirmationNeeded`: the token that the same request has to have in `confirm`'),
    expiresAt: time().optional().describe('Of `confirmationNeeded`: the end of the token'),
    preview: z
      .string()
      .optional()
      .describe('Of `confirmationNeeded`: the file that the device would be given, its secrets masked'),
    missing: z.array(z.string()).optional().describe('Names that a list of the request lacks, such as packages'),
  })
  .openapi('Problem', { description: 'A problem (RFC 9457)' })
