import { silentLog, systemClock } from '../../src/base/index.ts'
import { GuardedRouter, type InstanceNumbers, RouterModel } from '../../src/bridge/index.ts'
import { openApi, type RouterCallOptions, type RouterCommand, type RouterOs } from '../../src/routeros/index.ts'
import { type EmulatedRouter, type RouterOptions, startRouter } from '../../src/simulator/index.ts'
import { MemoryInstanceNumbers } from './memory-instance-numbers.ts'

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
  const router = await startRouter(options)
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
    clock: options.clock ?? systemClock,
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
