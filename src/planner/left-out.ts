import {
  type Device,
  type DeviceStore,
  HOLDING,
  type LeftOut,
  type Plan,
  type PlanMember,
  type Selector,
} from '../domain/index.ts'
import { heldByOther } from './machine/transition.ts'

/** Rows that a plan keeps; what would be another row is counted in the last one, which names no plan. */
const MAX_ROWS = 20

/**
 * The reason for which a rollback of the whole plan leaves a device out; undefined when it does not, or when nothing is
 * to be rolled back.
 */
export function leftOutBy(
  plan: Plan,
  { state, startedAt, facts }: PlanMember,
  device: Device | undefined,
): Pick<LeftOut, 'why' | 'planId'> | undefined {
  const holder = device?.migration
  const other = heldByOther(plan.id, holder)
  if (other !== undefined && holder !== undefined) return { why: other.code, planId: holder.planId }
  const wasThere = state === 'MIGRATED' && (startedAt === undefined || facts.alreadyThere === true)
  return wasThere ? { why: 'alreadyThere' } : undefined
}

/** The rows with one more device. */
export function withLeftOut(
  rows: readonly LeftOut[],
  reason: Pick<LeftOut, 'why' | 'planId'>,
  { deviceId }: PlanMember,
): LeftOut[] {
  const isSame = (row: LeftOut) => row.why === reason.why && row.planId === reason.planId
  if (rows.some(isSame)) return rows.map((row) => (isSame(row) ? { ...row, count: row.count + 1 } : row))
  if (rows.length < MAX_ROWS) return [...rows, { ...reason, count: 1, example: deviceId }]
  const { why } = reason
  return rows.map((row, i) => (i === MAX_ROWS - 1 ? { why, example: row.example, count: row.count + 1 } : row))
}

/**
 * The plan without the rows whose plan holds no device any more: it has brought them back since they were counted.
 */
export async function withPresentLeftOut(plan: Plan, devices: Pick<DeviceStore, 'count'>): Promise<Plan> {
  const { leftOut, ...rest } = plan
  if (leftOut === undefined) return plan
  const isPresent = await Promise.all(
    leftOut.map(async ({ planId }) => {
      if (planId === undefined) return true
      const held: Selector[] = [
        { field: 'migration.planId', operator: '==', values: [planId] },
        { field: 'migration.state', operator: 'in', values: [...HOLDING] },
      ]
      return (await devices.count({ and: held }, 1)) > 0
    }),
  )
  const present = leftOut.filter((_, i) => isPresent[i])
  return present.length === 0 ? rest : { ...rest, leftOut: present }
}

/** A row as a sentence for a person. `devices` words a count. */
export function leftOutText({ why, planId, count }: LeftOut, devices: (count: number) => string): string {
  const plan = planId === undefined ? 'other plans' : `plan ${planId}`
  const them = count === 1 ? 'it' : 'them'
  const which = {
    otherPlan: `that ${plan} moves or has moved: roll ${them} back there`,
    rollbackPending: `that ${plan} must bring back first: retry ${them} there`,
    alreadyThere: 'on USP since before this plan, and moved by none',
  }
  return `the rollback leaves out ${devices(count)} ${which[why]}`
}
