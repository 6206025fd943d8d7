import { z } from '../http/zod.ts'
import { page, time } from './common.ts'

const trees = () => z.number().int().describe('Trees that had it')

const ModelSchema = z
  .object({
    id: z.string(),
    manufacturer: z.string(),
    model: z.string(),
    softwareVersion: z.string(),
    root: z.string(),
    trees: z.number().int().describe('Whole trees that were counted; of a common model not every one is'),
    at: time().describe('The last of them'),
    parameters: z.number().int().describe('Parameters of the last tree'),
    mapped: z.number().int().describe('Those of them that are known under a path of TR-181'),
    mappedShare: z.number().describe('0 to 1'),
    unmapped: z
      .array(z.object({ path: z.string(), trees: trees() }).openapi('UnmappedPath'))
      .describe('Paths that no row maps, the most frequent ones first'),
    silent: z
      .array(z.object({ path: z.string(), trees: trees(), sample: z.string() }).openapi('SilentPath'))
      .describe('Paths that have a row and gave no value, with a value that was not decoded'),
  })
  .openapi('Model', { description: 'Devices of one make, model, firmware and root' })
export const ModelPage = page('Model', ModelSchema)
