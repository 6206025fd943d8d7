import type { Clock } from '../../base/index.ts'
import { quoteConstant } from '../../datamodel/index.ts'
import { collected, type DeviceIdentity, type ParameterWrite } from '../../domain/index.ts'
import type { GetResp } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import { objectPath } from './outcome.ts'

/** Facts that an Agent shows about itself when it arrives. */
export interface AgentFacts {
  /** Device.DeviceInfo. (one level) and RootDataModelVersion. */
  parameters: ParameterWrite[]
  /** The Controller row of this server; undefined when the Agent does not show it. */
  ownRow: Record<string, string> | undefined
  /** oui, class and serial of Device.DeviceInfo.; '' for each that the Agent does not show. */
  identity: DeviceIdentity
}

const MAX_FACTS = 200
const MAX_FACT = 4096
const INFO = 'Device.DeviceInfo.'
const IDENTITY = ['ManufacturerOUI', 'ProductClass', 'SerialNumber'] as const
const CONTROLLERS = 'Device.LocalAgent.Controller.'
const OWN_ROW = /^Device\.LocalAgent\.Controller\.\d+\.$/

/** Parameters with the identity of a device. */
export const IDENTITY_PATHS: readonly string[] = IDENTITY.map((name) => INFO + name)

/**
 * Reads DeviceInfo and the Controller row of this server with one Get, or with one for each path where the Agent
 * refuses a Message for one of its paths. Notes the row at the AgentLink. Facts are empty when the Agent refuses all
 * paths; TransportError when it does not answer.
 */
export async function readFacts(agent: AgentLink, ownId: string, clock: Clock): Promise<AgentFacts> {
  const ownPath = `${CONTROLLERS}[EndpointID==${quoteConstant(ownId)}].`
  const results = await readEach(agent, [INFO, 'Device.RootDataModelVersion', ownPath])
  const parameters: ParameterWrite[] = []
  const shown = new Map<string, string>()
  let own: { path: string; params: Record<string, string> } | undefined
  const collectedAt = clock.now()
  for (const result of results) {
    for (const { resolved_path, result_params } of result.resolved_path_results) {
      const object = objectPath(resolved_path)
      if (object.startsWith(CONTROLLERS)) {
        // Agents without support for depths show the rows below it, too.
        if (OWN_ROW.test(object) && (result_params.EndpointID ?? ownId) === ownId)
          own ??= { path: object, params: result_params }
        continue
      }
      // Parameters of other objects are not stored.
      if (object !== 'Device.' && object !== INFO) continue
      for (const [name, value] of Object.entries(result_params)) {
        if (parameters.length >= MAX_FACTS || !/^[\w-]{1,64}$/.test(name) || value.length > MAX_FACT) continue
        if (object === INFO) shown.set(name, value)
        parameters.push(...collected([{ path: object + name, value }], { source: 'usp', collectedAt }))
      }
    }
  }
  const identity = identityOf(shown)
  agent.foundOwnRow(own?.path ?? (await findOwnRow(agent, ownId)))
  const isShown = identity.oui !== '' || identity.serial !== ''
  return { parameters, ownRow: own?.params, identity: isShown ? identity : await readIdentity(agent) }
}

/** Reads the identity by the names of its parameters, from an Agent that does not show the whole object. */
async function readIdentity(agent: AgentLink): Promise<DeviceIdentity> {
  const reply = await agent.request('get', { param_paths: [...IDENTITY_PATHS], max_depth: 0 })
  const rows = reply.ok ? reply.body.req_path_results.flatMap((result) => result.resolved_path_results) : []
  return identityOf(new Map(rows.flatMap(({ result_params }) => Object.entries(result_params))))
}

function identityOf(values: ReadonlyMap<string, string>): DeviceIdentity {
  const value = (name: (typeof IDENTITY)[number]) => (values.get(name) ?? '').trim()
  return { oui: value('ManufacturerOUI'), productClass: value('ProductClass'), serial: value('SerialNumber') }
}

async function readEach(agent: AgentLink, paths: string[]): Promise<GetResp['req_path_results']> {
  const together = await agent.request('get', { param_paths: paths, max_depth: 1 })
  if (together.ok) return together.body.req_path_results
  const results: GetResp['req_path_results'] = []
  for (const path of paths) {
    const reply = await agent.request('get', { param_paths: [path], max_depth: 1 })
    if (reply.ok) results.push(...reply.body.req_path_results)
  }
  return results
}

/**
 * Finds the row of this server among all rows that the Agent shows, where it does not find it by the search expression.
 */
async function findOwnRow(agent: AgentLink, ownId: string): Promise<string> {
  const reply = await agent.request('get', { param_paths: [`${CONTROLLERS}*.EndpointID`], max_depth: 0 })
  const rows = reply.ok ? reply.body.req_path_results.flatMap((result) => result.resolved_path_results) : []
  const own = rows.find((row) => row.result_params.EndpointID === ownId)
  return own === undefined ? '' : objectPath(own.resolved_path)
}
