import type { Lifecycle, Log, ServiceTime, StoredServiceTime } from '../../base/index.ts'
import type { InstanceStore } from '../../domain/index.ts'
import type { Store } from '../../store/index.ts'

const HEARTBEAT_MS = 3000
/** An instance that is silent for so long is gone, and other instances reconcile what it had sent. */
const INSTANCE_TTL_MS = 10_000

/**
 * Returns the instances with heartbeats in service time, which replaces the times of callers: a step of a wall clock
 * does not change which instances count as live.
 */
export function byServiceTime(instances: InstanceStore, time: ServiceTime): InstanceStore {
  return {
    raise: (ms, at) => instances.raise(ms, at),
    beat: (instance, _now, ttlMs) => instances.beat(instance, time.now(), ttlMs),
    alive: () => instances.alive(time.now()),
    endDead: () => instances.endDead(time.now()),
    leave: (instance) => instances.leave(instance),
    alone: (instance) => instances.alone(instance),
  }
}

/** Writes the heartbeat of this instance; when it stops, its links are noted as ended at once. */
export function heartbeat(store: Store, instance: string, time: StoredServiceTime, log: Log): Lifecycle {
  let timer: NodeJS.Timeout | undefined
  const beat = async () => {
    await store.instances.beat(instance, Date.now(), INSTANCE_TTL_MS)
    await time.beat()
  }
  const endDead = async () => {
    const dead = await store.instances.endDead(Date.now())
    if (dead > 0) log.warn({ dead }, 'server instances have ended without notice; their open transactions were aborted')
  }
  const tasks = [
    oneAtATime(beat, (err) => log.warn({ err }, 'heartbeat was not written')),
    oneAtATime(endDead, (err) => log.warn({ err }, 'open transactions of dead instances were not aborted')),
  ]
  return {
    name: 'heartbeat',
    async start() {
      await beat()
      timer = setInterval(() => {
        for (const { run } of tasks) run()
      }, HEARTBEAT_MS)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      await Promise.all(tasks.map(({ idle }) => idle()))
      await store.devices.unlinkAll(instance, [], Date.now())
      await store.instances.leave(instance)
    },
  }
}

/** A task that is left out while it is under way: with the database away one waits, not one more every few seconds. */
function oneAtATime(task: () => Promise<void>, onError: (error: unknown) => void) {
  let running: Promise<void> | undefined
  return {
    run() {
      running ??= task()
        .catch(onError)
        .finally(() => {
          running = undefined
        })
    },
    async idle() {
      await running
    },
  }
}

/**
 * Returns the live instances. This one is always among them, however late its heartbeat is: after a pause of the
 * database it must not count itself as ended.
 */
export async function aliveInstances(store: Store, instance: string): Promise<string[]> {
  const alive = await store.instances.alive(Date.now())
  return alive.includes(instance) ? alive : [...alive, instance]
}

/** Links of instances that are gone are no links, and the plan members they held are free. */
export async function tidyAfterDead(store: Store, instance: string): Promise<void> {
  const alive = await aliveInstances(store, instance)
  await store.devices.unlinkAll(undefined, alive, Date.now())
  await store.plans.freeLeases(alive)
}
