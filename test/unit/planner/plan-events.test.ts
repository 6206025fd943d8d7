import { expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { type Device, type DeviceStore, newDevice, type PlanMember, type PlanStore } from '../../../src/domain/index.ts'
import { PlanEvents } from '../../../src/planner/plan-events.ts'
import { createManualClock } from '../../support/manual-clock.ts'

const identity = { oui: '0C96BF', productClass: 'CPE', serial: 'S1' }

/** The events that a look applies to a member that was MIGRATED when it was listed, and is `present` now. */
async function applied(present: PlanMember['state'] | undefined): Promise<string[]> {
  const device: Device = {
    ...newDevice('0C96BF-CPE-S1' as Device['id'], identity, 'cwmp', 0),
    migration: { planId: 'mover', state: 'ROLLED_BACK', at: 0 },
  }
  const listed = {
    id: `p1|${device.id}`,
    planId: 'p1',
    deviceId: device.id,
    state: 'MIGRATED',
    facts: {},
  } as PlanMember
  const taken: string[] = []
  const events = new PlanEvents({
    plans: { getMember: async () => present && { ...listed, state: present } } as unknown as PlanStore,
    devices: { get: async () => device } as unknown as DeviceStore,
    clock: createManualClock(0),
    log: silentLog,
    alone: async (_planId, work) => work(),
    kick: () => {},
    runner: {
      apply: async (_id, { event }) => {
        taken.push(event)
        return listed
      },
      wake: () => {},
    },
    notes: {} as ConstructorParameters<typeof PlanEvents>[0]['notes'],
  })
  await events.catchUp(listed)
  return taken
}

it('a member that missed an event of its device gets it', async () => {
  expect(await applied('MIGRATED')).toEqual(['left'])
})

it('a member that has taken the event since it was listed, or was deleted, gets none', async () => {
  expect(await applied('CANCELLED')).toEqual([])
  expect(await applied(undefined)).toEqual([])
})
