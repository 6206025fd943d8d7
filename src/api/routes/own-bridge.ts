import { AppError, defined } from '../../base/index.ts'
import {
  type BridgeRegistration,
  issueAgentCertificates,
  type ReportedState,
  readBridge,
  registerBridge,
  renewBridgeCertificate,
  reportRouters,
} from '../../desk/index.ts'
import { type Bridge, identityInEndpointId, type Principal, type RouterIdentity } from '../../domain/index.ts'
import { type Route, route } from '../http/route.ts'
import type { z } from '../http/zod.ts'
import {
  AgentCertificatesInput,
  AgentCertificatesSchema,
  OwnBridgeSchema,
  OwnRoutersQuery,
  OwnRoutersSchema,
  RegistrationInput,
  RegistrationSchema,
  RenewedCertificateSchema,
  type RouterIdentitySchema,
  RouterReportInput,
} from '../schemas/bridge.ts'
import { certificateView, ownRouterView } from '../views/bridges.ts'
import type { RouteDeps } from './ports.ts'

const tag = 'Bridges'
/** The time that a bridge was heard is stored at most so often. */
const SEEN_MS = 20_000

/** The routes that the process of a bridge uses: it registers with its token, and signs every other request. */
export function ownBridgeRoutes(deps: RouteDeps): Route[] {
  const { bridges, clock } = deps
  const ownOf = (principal: Principal) => readBridge(deps, principal.id)
  const ownView = ({ id, name, routersVersion }: Bridge) => ({
    id,
    name,
    routersVersion,
    controller: deps.controllerOfBridges(),
  })
  return [
    route({
      method: 'post',
      path: '/bridge/registration',
      id: 'registerBridge',
      tag,
      summary: 'Register the process of a bridge with its token, and get its certificate',
      description:
        'The keys that used a token may repeat this until the token ends. Other keys need a new token; the certificates ' +
        'of the keys before are revoked then.',
      permission: 'bridge.register',
      body: RegistrationInput,
      responses: { 200: { description: 'The bridge and its certificate', schema: RegistrationSchema } },
      async handle({ body, principal, address: remoteAddress }) {
        const registration: BridgeRegistration = { ...body, remoteAddress }
        const { bridge, certificate } = await registerBridge(deps, principal.id, registration, principal)
        return { body: { ...ownView(bridge), certificate: certificateView(certificate) } }
      },
    }),
    route({
      method: 'get',
      path: '/bridge',
      id: 'readOwnBridge',
      tag,
      summary: 'Read what the process of a bridge works by',
      description: 'It asks every five seconds, and reads its routers again when `routersVersion` has changed.',
      permission: 'bridge.serve',
      responses: { 200: { description: 'The bridge', schema: OwnBridgeSchema } },
      async handle({ principal, address: remoteAddress }) {
        const bridge = await ownOf(principal)
        const now = clock.now()
        if (Math.abs(now - (bridge.lastSeenAt ?? 0)) >= SEEN_MS)
          await bridges.seen(bridge.id, { lastSeenAt: now, remoteAddress })
        return { body: ownView(bridge) }
      },
    }),
    route({
      method: 'get',
      path: '/bridge/routers',
      id: 'listOwnRouters',
      tag,
      summary: 'The routers of the bridge, in the order of their ids, with their sealed logins',
      permission: 'bridge.serve',
      query: OwnRoutersQuery,
      responses: { 200: { description: 'Routers', schema: OwnRoutersSchema } },
      async handle({ query, principal }) {
        const { items, next } = await bridges.routersAfter(principal.id, query.limit, query.after)
        return { body: { items: items.map(ownRouterView), more: next } }
      },
    }),
    route({
      method: 'post',
      path: '/bridge/certificate',
      id: 'renewOwnCertificate',
      tag,
      summary: 'Get a new certificate for the same key; it is due when two thirds of its life have passed',
      permission: 'bridge.serve',
      responses: { 200: { description: 'The certificate', schema: RenewedCertificateSchema } },
      async handle({ principal }) {
        const made = await renewBridgeCertificate(deps, await ownOf(principal), principal)
        return { body: { certificate: certificateView(made) } }
      },
    }),
    route({
      method: 'post',
      path: '/bridge/agents/certificates',
      id: 'issueAgentCertificates',
      tag,
      summary: 'Get certificates for the Agents of routers, by the identities that were reported of them',
      description:
        'Each proves one Endpoint ID with the key of the bridge. One is refused whose Endpoint ID another bridge speaks ' +
        'for, or is bound to a device by an Agent that no bridge brought.',
      permission: 'bridge.serve',
      body: AgentCertificatesInput,
      responses: { 200: { description: 'A certificate or a reason for each router', schema: AgentCertificatesSchema } },
      async handle({ body, principal }) {
        const made = await issueAgentCertificates(deps, await ownOf(principal), body.routerIds, principal)
        const items = made.map((one) =>
          'refused' in one
            ? { routerId: one.routerId, refused: one.refused }
            : { routerId: one.routerId, certificate: certificateView(one) },
        )
        return { body: { items } }
      },
    }),
    route({
      method: 'post',
      path: '/bridge/states',
      id: 'reportRouters',
      tag,
      summary: 'Report the states of routers; repeating it does no harm',
      permission: 'bridge.serve',
      body: RouterReportInput,
      responses: { 204: { description: 'Stored' } },
      async handle({ body, principal }) {
        const states = body.states.map(({ identity, lastError, needsLogin, unfit, ways, ...state }): ReportedState => {
          if (identity !== undefined) checkEndpointId(deps, identity)
          return {
            ...state,
            ...defined({ lastError, needsLogin, unfit, ways, identity: identity && withoutAbsent(identity) }),
          }
        })
        await reportRouters(deps, await ownOf(principal), states)
        return { status: 204 }
      },
    }),
  ]
}

/** AppError `invalid` for an Endpoint ID that is none, or that names another router than the identity. */
function checkEndpointId(
  { asEndpointId }: Pick<RouteDeps, 'asEndpointId'>,
  { endpointId, oui, productClass, serial }: z.infer<typeof RouterIdentitySchema>,
): void {
  const named = identityInEndpointId(asEndpointId(endpointId))
  const isSame = named?.oui === oui.toUpperCase() && named.serial === serial
  if (!isSame || (named.productClass ?? productClass) !== productClass)
    throw new AppError('invalid', `${endpointId} is not the Endpoint ID of OUI ${oui} and serial number ${serial}`)
}

function withoutAbsent({ model, softwareVersion, ...identity }: z.infer<typeof RouterIdentitySchema>): RouterIdentity {
  return { ...identity, ...defined({ model, softwareVersion }) }
}
