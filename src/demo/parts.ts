import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import type { DemoFolder } from './folder.ts'

/** Starts the server of the demo; `script` is the program of Isthmus. */
export async function startServerChild(script: string, folder: DemoFolder, key: string, logFd: number): Promise<Child> {
  // The same ports at the next start: the devices keep the addresses that they have.
  const { apiPort = 0, cwmpPort = 0, uspPort = 0 } = folder.ports ?? {}
  const args = [
    'serve',
    '--data-dir',
    folder.dir,
    '--host',
    '127.0.0.1',
    '--api-port',
    String(apiPort),
    '--cwmp-port',
    String(cwmpPort),
    '--usp-port',
    String(uspPort),
  ]
  args.push(
    '--agent-admission',
    'open',
    '--discovery',
    'subtree',
    '--inform-interval',
    '300',
    '--periodic-notif-interval',
    '60',
  )
  const child = await startChild({
    name: 'server',
    script,
    args,
    env: { ISTHMUS_FIRST_API_KEY: key },
    readyTimeoutMs: 180_000,
    logFd,
    logFile: join(folder.dir, 'demo.log'),
    onStarted: (pid) => folder.runs(pid),
  })
  const ready = child.ready as { apiPort: number; cwmpPort: number; uspPort: number }
  folder.keepPorts({ apiPort: ready.apiPort, cwmpPort: ready.cwmpPort, uspPort: ready.uspPort })
  return child
}

/** Starts the simulated devices of the demo; `server` is the `ready` message of the server. */
export function startFleetChild(
  script: string,
  folder: DemoFolder,
  devices: number,
  server: Record<string, unknown>,
  logFd: number,
): Promise<Child> {
  const args = [
    'simulate',
    '--acs-url',
    `http://127.0.0.1:${server.cwmpPort}/`,
    '--enrolment-secret',
    String(server.enrolmentSecret),
  ]
  args.push(
    '--usp-port',
    String(server.uspPort),
    '--endpoint-id',
    String(server.endpointId),
    '--devices',
    String(devices),
    '--state-dir',
    join(folder.dir, 'fleet'),
  )
  return startChild({
    name: 'fleet',
    script,
    args,
    readyTimeoutMs: 60_000,
    logFd,
    logFile: join(folder.dir, 'demo.log'),
    onStarted: (pid) => folder.runs(pid),
  })
}
