import { isInNetwork, type RouterOs, type RouterRow } from '../../routeros/index.ts'
import type { ModelProblem } from '../../usp/index.ts'
import { type ManagementPath, managementPath } from './management-path.ts'
import { RouterRows } from './router-rows.ts'
import { inSlices, type StepCheck } from './step-preparation.ts'
import type { RemoveStep, SetStep, WriteStep } from './write-step.ts'

/** Changes of an interface, or of a row that belongs to one, that take it out of service. */
const CUTTING = new Set([
  'disabled',
  'interface',
  'vlan-id',
  'bridge',
  'pvid',
  'vlan-filtering',
  'frame-types',
  'vlan-ids',
  'tagged',
  'untagged',
])

/**
 * Refuses steps that would cut the bridge off from the router: on the interfaces, the address, the route and the
 * services that carry its own connection.
 */
export class ManagementCheck implements StepCheck {
  readonly #router: RouterOs

  constructor(router: RouterOs) {
    this.#router = router
  }

  /** Resolves with the problem of each step that is refused, at the place of the step; RouterOsError. */
  async refusals(steps: readonly WriteStep[], rows: RouterRows): Promise<readonly (ModelProblem | undefined)[]> {
    if (!steps.some(mayCut)) return []
    const path = await managementPath(this.#router, rows)
    return inSlices(steps, async (step) => {
      const reason = await reasonOf(step, path, rows)
      return reason === undefined ? undefined : problemOf(step, reason)
    })
  }

  /** Resolves with the names of the interfaces that carry the connection. RouterOsError. */
  async interfaces(): Promise<ReadonlySet<string>> {
    return (await managementPath(this.#router, new RouterRows(this.#router))).interfaces
  }
}

async function reasonOf(step: WriteStep, path: ManagementPath, rows: RouterRows): Promise<string | undefined> {
  if (step.menu === '/ip/route') return routeReason(step, path, rows)
  if (step.menu === '/ip/firewall/nat') return natReason(step, path)
  if (step.kind === 'add') return addReason(step.menu, step.values, path)
  const names = ['name', 'interface', 'address', 'bridge', 'dynamic']
  const row = await rows.find(step.menu, step.match, names)
  if (row === undefined) return undefined
  if (step.menu === '/ip/address') return addressReason(row, step, path)
  if (!isCut(step)) return undefined
  const name = step.menu === '/interface/bridge/port' || step.menu === '/ip/dhcp-client' ? row.interface : row.name
  if (name !== undefined && path.interfaces.has(name)) return `${name} carries the connection of the bridge`
  return step.menu === '/interface/bridge/vlan' && path.interfaces.has(row.bridge ?? '')
    ? `${row.bridge} carries the connection of the bridge`
    : undefined
}

async function routeReason(step: WriteStep, path: ManagementPath, rows: RouterRows): Promise<string | undefined> {
  const carries = 'the route carries the connection of the bridge'
  if (step.kind !== 'add') {
    const row = await rows.find('/ip/route', step.match, ['dst-address', 'distance'])
    const isCarrying = path.route !== undefined && row?.['dst-address'] === path.route
    if (isCarrying && (step.kind === 'remove' || Object.keys(step.values).some((name) => name !== 'comment')))
      return carries
  }
  const wanted = step.kind === 'remove' ? undefined : step.values['dst-address']
  if (wanted === undefined || path.peer === undefined || !isInNetwork(path.peer, wanted)) return undefined
  const length = (prefix: string | undefined) => Number(prefix?.split('/')[1] ?? -1)
  const isStronger = path.route !== undefined && length(wanted) >= length(path.route)
  return isStronger ? 'the route would take over the connection of the bridge' : undefined
}

function mayCut(step: WriteStep): boolean {
  if (step.menu === '/ip/route' || step.menu === '/ip/firewall/nat') return true
  if (step.kind === 'add') return step.menu === '/interface/bridge/port'
  return step.menu === '/ip/address' || (/^\/interface|^\/ip\/dhcp-client/.test(step.menu) && isCut(step))
}

/** Returns true for a step that takes a row out of service, or moves it. */
function isCut(step: SetStep | RemoveStep): boolean {
  if (step.kind === 'remove') return true
  return Object.entries(step.values).some(
    ([name, value]) => CUTTING.has(name) && !(name === 'disabled' && value === 'no'),
  )
}

function addressReason(row: RouterRow, step: SetStep | RemoveStep, path: ManagementPath): string | undefined {
  const isOwn = path.address !== undefined && row.address?.split('/')[0] === path.address
  const changes =
    step.kind === 'remove' ||
    Object.entries(step.values).some(([name, value]) => name !== 'comment' && !(name === 'disabled' && value === 'no'))
  return isOwn && changes ? `${path.address} is the address that the bridge connects to` : undefined
}

/** A port, VLAN or address that is added to an interface of the path. */
function addReason(
  menu: WriteStep['menu'],
  values: Readonly<Record<string, string>>,
  path: ManagementPath,
): string | undefined {
  const name = values.interface ?? ''
  return menu === '/interface/bridge/port' && path.interfaces.has(name)
    ? `${name} carries the connection of the bridge`
    : undefined
}

/** A port mapping that would take the port of a service by which the router is managed. */
function natReason(step: WriteStep, path: ManagementPath): string | undefined {
  if (step.kind === 'remove') return undefined
  const [from = 0, to = from] = (step.values['dst-port'] ?? '').split('-').map(Number)
  const port = path.ports.find((one) => one >= from && one <= to)
  return port === undefined || step.values.protocol === 'udp'
    ? undefined
    : `port ${port} is that of a service by which the router is managed`
}

function problemOf({ kind, path, paths = {}, row }: WriteStep, text: string): ModelProblem {
  const subject = Object.values(paths)[0] ?? path
  return { path: subject, code: kind === 'remove' ? 7024 : 7012, text, ...(row === undefined ? {} : { row }) }
}
