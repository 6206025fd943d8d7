import type { Document_, Migration } from '../src/store/index.ts'

const KINDS = ['apiKey', 'planner', 'system', 'operator']

/** The bulk work of a plan names its actor by kind and id. Before it had the text of both: `apiKey:01h...`, `planner`. */
export const migration: Migration = {
  async up(db) {
    const plans = db.collection<Document_>('plans')
    const found = plans.find({ 'bulk.actor': { $type: 'string' } }, { projection: { bulk: 1 } })
    for await (const { _id, bulk } of found) {
      if (!Array.isArray(bulk)) continue
      await plans.updateOne({ _id, bulk }, { $set: { bulk: bulk.map(withActor) } })
    }
  },
}

function withActor(work: unknown): unknown {
  if (typeof work !== 'object' || work === null || !('actor' in work) || typeof work.actor !== 'string') return work
  const [kind = '', ...id] = work.actor.split(':')
  const actor = KINDS.includes(kind) ? { kind, id: id.join(':') } : { kind: 'system', id: work.actor }
  return { ...work, actor }
}
