import { z } from '../http/zod.ts'

/** Returns the schema of an object of which any fields may be left out, and any fields of the objects in it. */
export function selectionOf(schema: z.ZodObject): z.ZodObject {
  const shape = Object.entries(schema.shape).map(([name, field]) => {
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field
    return [name, z.optional(inner instanceof z.ZodObject ? selectionOf(inner) : inner)]
  })
  return z.object(Object.fromEntries(shape))
}
