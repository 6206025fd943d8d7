import { it } from 'vitest'
import { playAll, seedOf } from '../support/planner-model/children.ts'

/**
 * Random events drive the whole planner over stores in memory: people start, pause, abort, retry, roll back and delete
 * plans; devices come, go, boot, are reset, deleted and lie; Agents fall silent; answers get lost; servers die between
 * any two calls; the database is away; clocks are set. The rules that hold are in invariants.ts: one owner and one mover of
 * each device, a snapshot as long as a device has anything of a plan, ends that are true, waits with a reason, exact
 * counters, no loop, and a device that is as it was once everything was rolled back.
 */
it('a planner keeps its promises in 10,000 random sequences', { timeout: 1_200_000 }, async () => {
  await playAll([{ runs: 10_000, seed: seedOf(process.env, 1), length: 16 }], 1)
})
