import { type ChildProcess, fork } from 'node:child_process'
import { resolve } from 'node:path'

/** A bare server in a process of its own, which a row is compared with. */
export interface Floor {
  port: number
  pid: number
  stop(): void
}

export async function startFloor(script: 'floor-http' | 'floor-session' | 'floor-ws', args: string[]): Promise<Floor> {
  const child: ChildProcess = fork(resolve(import.meta.dirname, `${script}.js`), args, { stdio: 'inherit' })
  const port = await new Promise<number>((ready, reject) => {
    child.once('message', (message: { port: number }) => ready(message.port))
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)))
  })
  child.removeAllListeners('exit')
  return { port, pid: child.pid ?? 0, stop: () => child.kill('SIGTERM') }
}
