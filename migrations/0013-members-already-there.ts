import { type Document_, type Migration, recountPlan } from '../src/store/index.ts'

/**
 * Members whose devices were on USP before their plan moved them are marked, and the counters of their plans count them
 * apart.
 */
export const migration: Migration = {
  async up(db) {
    const members = db.collection<Document_>('planMembers')
    const plans = new Set<string>()
    const migrated = members.find({ state: 'MIGRATED' }, { projection: { planId: 1, history: { $slice: -1 } } })
    for await (const { _id, planId, history } of migrated) {
      const last: unknown = Array.isArray(history) ? history.at(-1) : undefined
      if (typeof last !== 'object' || last === null || !('event' in last) || last.event !== 'alreadyThere') continue
      await members.updateOne({ _id, state: 'MIGRATED' }, { $set: { 'facts.alreadyThere': true } })
      plans.add(String(planId))
    }
    for (const planId of plans) await recountPlan(db, planId)
  },
}
