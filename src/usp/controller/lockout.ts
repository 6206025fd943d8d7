import { namesRow, parsePath, type Segment } from '../../datamodel/index.ts'
import { failedResult, type Operation, type OperationResult, outcomeError } from '../../domain/index.ts'
import { MTPS } from '../mtp/index.ts'
import type { AgentLink } from './agent-link.ts'

const TABLE = ['Device', 'LocalAgent', 'Controller']
/** The parameters of an MTP row by which the Agent finds this server and proves its device, in every MTP. */
const ADDRESS = new Set(
  ['Protocol', ...MTPS.flatMap(({ needed }) => Object.keys(needed))].map((name) => `MTP.row.${name}`),
)

/**
 * Returns the refusal of an operation that would delete or disable the Controller row of this server, or one of its
 * MTPs, in an Agent, or change the address there: the Agent would end its link, or not find back, and no operation
 * could undo that. Undefined for any other operation, for one with `mayLockOut`, and for those of the planner.
 */
export function lockout(agent: AgentLink, { request, actor }: Operation): OperationResult | undefined {
  const { ownRow, ownId } = agent
  if (ownRow === '' || actor.kind === 'planner' || actor.kind === 'system') return undefined
  if ((request.verb !== 'set' && request.verb !== 'delete') || request.mayLockOut === true) return undefined
  const path =
    request.verb === 'delete'
      ? request.paths.find((one) => /^$|^MTP\.row$/.test(belowOwnRow(one, ownRow) ?? '-'))
      : request.values.find(({ path: one, value }) => {
          const name = belowOwnRow(one, ownRow)
          if (name === undefined) return false
          if (name === 'EndpointID') return value !== ownId
          if (ADDRESS.has(name)) return true
          return (name === 'Enable' || name === 'MTP.row.Enable') && /^(false|0)$/i.test(value.trim())
        })?.path
  if (path === undefined) return undefined
  const text =
    `${path} belongs, or may belong, to the Controller row of this server (${ownRow}): ` +
    'with this request the Agent may lose its connection to this server for good; mayLockOut allows it'
  return failedResult(outcomeError('lockout', text))
}

/**
 * Returns the name of a path below the row, with `row` for instances; undefined when the path cannot belong to the row
 * of this server. Only the Agent knows where a reference leads: that of a subscription (Recipient) leads to this row.
 */
function belowOwnRow(path: string, ownRow: string): string | undefined {
  const { segments } = parsePath(path)
  const reference = segments.findLastIndex(({ kind }) => kind === 'follow')
  if (reference >= 0) return nameOf(segments.slice(reference + 1))
  if (!path.startsWith(`${TABLE.join('.')}.`)) return undefined
  const [row, ...rest] = segments.slice(TABLE.length)
  if (row === undefined || !namesRow(row)) return undefined
  if (row.kind === 'instance' && ownRow !== `${TABLE.join('.')}.${row.instance}.`) return undefined
  return nameOf(rest)
}

function nameOf(segments: readonly Segment[]): string {
  return segments.map((segment) => (segment.kind === 'name' ? segment.name : 'row')).join('.')
}
