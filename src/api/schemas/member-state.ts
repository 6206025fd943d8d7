import { MEMBER_STATES } from '../../domain/index.ts'
import { z } from '../http/zod.ts'

export const MemberStateSchema = z
  .enum(MEMBER_STATES)
  .openapi('MemberState', { description: 'The place of a device in a plan; docs/migration.md explains the states' })
