import { join } from 'node:path'
import { defaultMix } from '../simulator/index.ts'
import { type Child, startChild } from './child.ts'
import type { DemoFolder } from './folder.ts'
import type { DemoBridge } from './routers.ts'

/** Emulated MikroTik routers, in turn of these versions; the first of each has a TR-069 client as well. */
const ROUTERS = 10
const PROFILES = 'v6.49,v7.18'
const WITH_CLIENT = { mikrotikV6: 1, mikrotikV7: 1 }

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
    // Agents of a bridge are known by their certificates.
    '--plain-usp',
    'false',
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
    '--usp-tls',
    '--trust',
    join(folder.dir, 'own-certificate.pem'),
    '--mix',
    Object.entries({ ...defaultMix(devices), ...WITH_CLIENT })
      .map(([name, count]) => `${name}=${count}`)
      .join(','),
    '--routeros',
    String(ROUTERS),
    '--routeros-profiles',
    PROFILES,
    '--routeros-file',
    join(folder.dir, 'routers.csv'),
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

/** Starts the bridge of the demo, which gets its routers from the server. */
export function startBridgeChild(
  script: string,
  folder: DemoFolder,
  { token }: DemoBridge,
  apiUrl: string,
  logFd: number,
): Promise<Child> {
  return startChild({
    name: 'bridge',
    script,
    args: ['bridge', '--server', apiUrl, '--state-dir', join(folder.dir, 'bridge'), '--health-port', '0'],
    env: token === undefined ? {} : { ISTHMUS_BRIDGE_TOKEN: token },
    readyTimeoutMs: 60_000,
    logFd,
    logFile: join(folder.dir, 'demo.log'),
    onStarted: (pid) => folder.runs(pid),
  })
}
