import { createServer } from 'node:net'
import { Aedes } from 'aedes'
import { listen, portOf } from '../../src/base/index.ts'

/** A broker of MQTT 3.1.1 in this process. */
export interface AedesBroker {
  port: number
  broker: Aedes
  stop(): Promise<void>
}

/** Starts aedes on a port of this machine. */
export async function startAedes(options: Parameters<typeof Aedes.createBroker>[0] = {}): Promise<AedesBroker> {
  const broker = await Aedes.createBroker(options)
  const server = createServer(broker.handle)
  await listen(server, { host: '127.0.0.1', port: 0 }, () => undefined)
  return {
    port: portOf(server),
    broker,
    stop: async () => {
      await new Promise<void>((resolve) => broker.close(resolve))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
