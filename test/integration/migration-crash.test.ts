import { expect, inject, it } from 'vitest'
import { ANN } from '../support/actors.ts'
import { migrationWorld } from '../support/migration-world.ts'
import { Mortal } from '../support/mortal.ts'

/**
 * Calls of the planner to the outside at which it dies: one device each, a little further every time, before or after
 * the call took place.
 */
const DEATHS = Array.from(
  { length: 48 },
  (_, i) => ({ at: 2 + i * 2, when: i % 2 === 0 ? 'before' : 'after' }) as const,
)

it('goes on where a planner died, at any of its calls, and does nothing twice', async () => {
  const world = await migrationWorld(inject('mongodbUri'), { cpes: DEATHS.length })
  try {
    let died = 0
    for (const [i, { at, when }] of DEATHS.entries()) {
      const cpe = world.cpes[i]
      if (cpe === undefined) throw new Error('too few devices')
      const { id: deviceId } = await world.device(cpe)
      const group = await world.groups.create({ name: `one-${i}` }, ANN)
      await world.groups.changeMembers(group.id, [deviceId], [], ANN)
      const mortal = new Mortal(at, when)
      const doomed = world.anotherPlanner(`doomed-${i}`, (port) =>
        mortal.port(port, ['ids', 'awaitedDevices', 'onFinished']),
      )
      const settings = { soakMs: 0, maxAttempts: 1, awaitUspTimeoutMs: 10_000 }
      const plan = await world.planner.create({ name: `move-${i}`, groupId: group.id, settings }, ANN)
      const death = new Promise<void>((resolve) => {
        mortal.onDeath = resolve
      })
      // After its death its calls never return, so that the test alone waits for it.
      const life = (async () => {
        await doomed.act(plan.id, 'start', ANN)
        await world.untilState(plan, 'finished', doomed)
      })()
      await Promise.race([death, life])
      if (mortal.dead) died++
      const heir = world.anotherPlanner(`heir-${i}`)
      await heir.start()
      const free = () => world.store.plans.freeLeases(['test', `heir-${i}`])
      await free()
      if ((await heir.get(plan.id)).state === 'draft') await heir.act(plan.id, 'start', ANN)
      // Writes that the dead one had under way may land after its death: its holds are freed again and again, as the
      // server's job does.
      const tick = async () => {
        await free()
        await heir.tick()
      }
      await world.untilState(plan, 'finished', { ...heir, tick })
      const { state, reason, history } = await heir.member(plan.id, deviceId)
      const label = `died ${when} call ${at}: ${reason?.text ?? ''} ${history.map(({ to }) => to).join(' ')}`
      expect.soft(state, label).toBe('MIGRATED')
      expect.soft(cpe.rowsAdded, label).toBe(2)
      expect.soft(cpe.controllerRows().length, label).toBe(1)
      await heir.stop()
    }
    expect(died).toBeGreaterThan(DEATHS.length / 2)
  } finally {
    await world.stop()
  }
})
