import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemRandom } from '../../src/base/index.ts'

// Below the range from which Linux (32768) and macOS (49152) take the ports of connections and of listeners on port 0.
const FIRST = 10_240
const LAST = 32_767

/**
 * Ports of 127.0.0.1 that are free for TCP and UDP, for a program that listens on them some time later, or again after
 * a stop. The kernel gives none of them to a connection or to a listener on port 0 in the meantime.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST + Math.floor(systemRandom.fraction() * (LAST - FIRST + 1))
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port ?? 0
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const socket = createSocket('udp4')
  try {
    server.listen(port, '127.0.0.1')
    socket.bind(port, '127.0.0.1')
    await Promise.all([once(server, 'listening'), once(socket, 'listening')])
    return true
  } catch {
    return false
  } finally {
    await Promise.all([closed(server), closed(socket)])
  }
}

async function closed(socket: { close(done: () => void): void }): Promise<void> {
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => resolve())
    } catch {
      // It never was open.
      resolve()
    }
  })
}
