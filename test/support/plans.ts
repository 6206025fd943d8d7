import type { DeviceId, Plan, PlanCounters, PlanMember } from '../../src/domain/index.ts'
import { defaultPlanSettings } from '../../src/planner/index.ts'

/** A running plan with the default settings. */
export function planOf(more: Partial<Plan> = {}): Plan {
  const controller = {
    endpointId: 'proto::isthmus',
    host: 'acs.test',
    port: 8183,
    path: '/usp',
    tls: false,
    periodicNotifIntervalS: 60,
  }
  return {
    id: 'p1',
    name: 'north',
    groupId: 'g1',
    state: 'running',
    settings: defaultPlanSettings(controller),
    revision: 1,
    createdAt: 1,
    ...more,
  }
}

/** Counters of a plan; what is not given is zero. */
export function countersOf(more: Partial<PlanCounters> = {}): PlanCounters {
  return {
    states: {},
    waits: {},
    reasons: [],
    attempts: { failed: 0, moved: 0 },
    silent: 0,
    alreadyThere: 0,
    movedPerMinute: {},
    ...more,
  }
}

/** A member of a plan that has done nothing yet. */
export function memberOf(deviceId: DeviceId, more: Partial<PlanMember> = {}): PlanMember {
  const planId = more.planId ?? 'p1'
  return {
    id: `${planId}|${deviceId}`,
    planId,
    deviceId,
    state: 'QUEUED',
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 0,
    history: [],
    enteredAt: 1,
    enteredMs: 1,
    revision: 1,
    ...more,
  }
}
