import type { Socket } from 'node:net'
import { RouterOSAPI } from 'node-routeros'
import type { BareCall, BareHaste, BareStart } from './bare-load.ts'

// The package alone, as a program would use it that reads and writes routers and does nothing else.
const connections: RouterOSAPI[] = []
process.on('message', (call: BareStart | BareCall | BareHaste) => {
  const work = 'routers' in call ? connect(call) : 'sentences' in call ? run(call) : hurry()
  work.then(
    () => process.send?.({ id: call.id }),
    (error: unknown) => process.send?.({ id: call.id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })

async function connect({ routers, certificate }: BareStart): Promise<void> {
  for (const { port, username: user, password } of routers) {
    const tls = { ca: certificate, servername: 'localhost', checkServerIdentity: () => undefined }
    const connection = new RouterOSAPI({ host: '127.0.0.1', port, user, password, tls, timeout: 60, keepalive: true })
    await connection.connect()
    connections.push(connection)
  }
}

async function run({ index, sentences }: BareCall): Promise<void> {
  for (const [command = '', ...words] of sentences) await connections[index]?.write(command, words)
}

/** The package writes each word of a sentence for itself, and its socket waits for an acknowledgement between them. */
async function hurry(): Promise<void> {
  for (const connection of connections) {
    const connector: { socket: Socket } = Reflect.get(connection, 'connector')
    connector.socket.setNoDelay(true)
  }
}
