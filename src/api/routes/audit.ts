import { defined } from '../../base/index.ts'
import { type Route, route } from '../http/route.ts'
import { AuditPage, AuditQuery, VerificationQuery, VerificationSchema } from '../schemas/system.ts'
import { withTimes } from '../views/views.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'System'

/** Audit entries that one request follows: about a second on a slow machine. */
const MAX_VERIFIED = 5000

/** The audit log. */
export function auditRoutes(deps: RouteDeps): Route[] {
  const { audit } = deps
  return [
    route({
      method: 'get',
      path: '/audit/verification',
      id: 'verifyAudit',
      tag,
      summary: 'Follow the hash chain of the audit log',
      description:
        'intact: every entry follows from the one before, and none was made without the server key. ' +
        `At most ${MAX_VERIFIED} entries in one answer: while it has \`more\`, ask again with its entries and ` +
        'lastHash. Entries cut off at the end leave no trace in the chain: ' +
        'keep entries and lastHash elsewhere and go on from them later; the answer is not intact when that entry is ' +
        'gone.',
      permission: 'audit.read',
      query: VerificationQuery,
      responses: { 200: { description: 'How far the chain holds', schema: VerificationSchema } },
      async handle({ query: { entries, lastHash } }) {
        const from = entries === undefined || lastHash === undefined ? undefined : { seq: entries, hash: lastHash }
        const verification = await audit.verify(MAX_VERIFIED, from)
        return { body: { intact: verification.firstBroken === undefined, ...verification } }
      },
    }),
    route({
      method: 'get',
      path: '/audit',
      id: 'listAudit',
      tag,
      summary: 'The audit log, newest first: actors, actions and results',
      permission: 'audit.read',
      query: AuditQuery,
      responses: {
        200: { description: 'A page of entries, each chained to the one before by hash', schema: AuditPage },
      },
      async handle({ query }) {
        const found = await audit.list(defined(query))
        return { body: { ...found, items: found.items.map(withTimes) } }
      },
    }),
  ]
}
