import { type Clock, silentLog, systemClock } from '../../src/base/index.ts'
import { GuardedRouter, type InstanceNumbers, RouterModel } from '../../src/bridge/index.ts'
import { openApi, type RouterCallOptions, type RouterCommand, type RouterOs } from '../../src/routeros/index.ts'
import { type EmulatedRouter, type RouterOptions, startRouter } from '../../src/simulator/index.ts'
import { MemoryInstanceNumbers } from './memory-instance-numbers.ts'
import { until } from './until.ts'

/** The model of an emulated router, read over its API. */
export interface EmulatedModel {
  router: EmulatedRouter
  model: RouterModel
  /** Commands that were sent, in order; with the guard before them. */
  sent: RouterCommand[]
  stop(): Promise<void>
}

/** Starts a router and connects to it. */
export async function emulatedModel(
  options: RouterOptions = {},
  numbers: InstanceNumbers = new MemoryInstanceNumbers(),
): Promise<EmulatedModel> {
  return connected(await startRouter(options), numbers, options.clock)
}

/** Connects to a router that was started before, as soon as it takes connections. */
export async function reconnected(router: EmulatedRouter, numbers: InstanceNumbers): Promise<EmulatedModel> {
  let model: EmulatedModel | undefined
  await until(async () => {
    model = await connected(router, numbers).catch(() => undefined)
    return model !== undefined
  })
  if (model === undefined) throw new Error('the router takes no connections')
  return model
}

async function connected(
  router: EmulatedRouter,
  numbers: InstanceNumbers,
  clock: Clock = systemClock,
): Promise<EmulatedModel> {
  const session = await openApi(
    { host: '127.0.0.1', port: router.port, user: 'admin', password: '', security: { kind: 'plain' } },
    { clock: systemClock, log: silentLog },
  )
  const sent: RouterCommand[] = []
  const noted: RouterOs = {
    localAddress: session.localAddress,
    remoteAddress: session.remoteAddress,
    command(command: RouterCommand, call?: RouterCallOptions) {
      sent.push(command)
      return session.command(command, call)
    },
    stream: (command, events, call) => session.stream(command, events, call),
    close: () => session.close(),
  }
  const model = new RouterModel({
    router: new GuardedRouter(noted, () => 0),
    numbers,
    clock,
    served: { commands: () => [], events: () => [] },
  })
  return {
    router,
    model,
    sent,
    async stop() {
      await session.close()
      await router.close()
    },
  }
}
