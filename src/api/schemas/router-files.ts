import { ROUTER_POLICIES } from '../../domain/index.ts'
import { z } from '../http/zod.ts'
import { count } from './common.ts'

const ScriptParameterSchema = z
  .object({
    name: z.string(),
    type: z.enum(['text', 'integer', 'boolean', 'choice', 'network', 'host', 'date', 'time', 'timeZone']),
    description: z.string(),
    takes: z.string().describe('The values that it takes, in words'),
    required: z.boolean(),
    default: z.string().optional(),
    choices: z.array(z.string()).optional().describe('Of type choice: its values'),
    maxItems: count().optional().describe('It is a list of at most so many values of its type, with commas between'),
    secret: z.literal(true).optional().describe('No answer shows its value'),
  })
  .openapi('ScriptParameter')
const ScriptTemplateSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    parameters: z.array(ScriptParameterSchema),
  })
  .openapi('ScriptTemplate', {
    description: 'A reviewed script for MikroTik routers, whose parameters fill values alone',
  })
export const ScriptTemplatesSchema = z.object({ items: z.array(ScriptTemplateSchema) }).openapi('ScriptTemplates')

export const RouterPolicySchema = z
  .strictObject({
    level: z.enum(ROUTER_POLICIES).describe('L3 enables the verbs script, upgrade and download on this router'),
    packages: z
      .array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'is the name of a package such as wifi-qcom'))
      .max(32)
      .optional()
      .describe('Names of the installed packages; those that a bridge reads count before them'),
  })
  .openapi('RouterPolicy', {
    description: 'What an operator allows on a MikroTik router over CWMP, and which packages it has',
    example: { level: 'L3', packages: ['routeros', 'tr069-client', 'wifi-qcom'] },
  })
