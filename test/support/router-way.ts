import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The way to a router: a port of this machine that can be closed and opened again. */
export async function openWay(target: number): Promise<{ port: number; shut(): void; open(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  const open = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await open(0)
  const { port } = server.address() as AddressInfo
  const shut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port, shut, open: () => open(port) }
}
