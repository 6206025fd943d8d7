import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, createIdSource, systemClock, systemRandom } from '../base/index.ts'
import type { DemoOptions } from '../config/index.ts'
import { type ApiClient, createApiClient } from './api-client.ts'
import type { Child } from './child.ts'
import type { SimulatedSummary } from './expectations.ts'
import { DemoFolder } from './folder.ts'
import { startBridgeChild, startFleetChild, startServerChild } from './parts.ts'
import { ensureGroups, ensurePlan, untilRegistered } from './prepare.ts'
import { type EmulatedSummary, ensureBridge, ensureRouters, renamed } from './routers.ts'
import { watch } from './watch.ts'

/**
 * Runs a server, a fleet and a migration on this machine and shows them; all of it survives Ctrl-C and goes on at the
 * next start. `script` is the program of Isthmus, which is started anew for the server and for the fleet.
 */
export async function runDemo(script: string, flags: DemoOptions): Promise<void> {
  const folder = new DemoFolder(flags.dataDir)
  const devices = folder.devices(flags.devices)
  await folder.take(console.log)
  const logFd = openSync(join(flags.dataDir, 'demo.log'), 'a')
  const children: Child[] = []
  let stopping = false
  const stop = async () => {
    stopping = true
    for (const child of children.reverse()) await child.stop()
    folder.leave()
  }
  const stopAndLeave = () => {
    if (stopping) return
    console.log('\nstopping; start again to go on where it stands')
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', stopAndLeave)
  process.on('SIGTERM', stopAndLeave)
  let failed: unknown
  let exitCode = 0
  try {
    exitCode = await play(script, folder, devices, flags.once === true, logFd, children, () => stopping)
  } catch (error) {
    failed = error
  }
  if (stopping) return
  await stop()
  if (failed !== undefined) throw failed
  process.exit(exitCode)
}

async function play(
  script: string,
  folder: DemoFolder,
  devices: number,
  onlyOnce: boolean,
  logFd: number,
  children: Child[],
  stopping: () => boolean,
): Promise<number> {
  console.log('starting the server and its database')
  const key = folder.key(systemRandom, createIdSource(systemClock, systemRandom))
  const server = await startServerChild(script, folder, key, logFd)
  children.push(server)
  const { apiPort, cwmpPort, uspPort } = server.ready as { apiPort: number; cwmpPort: number; uspPort: number }
  const base = `http://127.0.0.1:${apiPort}`
  const api = createApiClient(`${base}/api/v1`, key)
  console.log(`API and its description  ${base}/api/v1/docs/#key=${key}`)
  console.log(`API key                  ${key}`)
  console.log(
    `CWMP http://127.0.0.1:${cwmpPort}/   USP wss://127.0.0.1:${uspPort}/usp   log ${join(folder.dir, 'demo.log')}\n`,
  )
  const fleet = await startFleetChild(script, folder, devices, server.ready, logFd)
  children.push(fleet)
  const bridge = await ensureBridge(api)
  children.push(await startBridgeChild(script, folder, bridge, base, logFd))
  const ended = Promise.race(children.map(untilEnded))
  const shown = show(api, fleet, bridge.id, apiPort, onlyOnce, stopping).catch(async (error: unknown) => {
    // The end of the server is a better reason for a failed call than the error of the call.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))])
    throw error
  })
  return Promise.race([ended, shown])
}

/** Rejects when a child ends that was not stopped. */
async function untilEnded({ name, process: child }: Child): Promise<never> {
  const [code, signal] = await once(child, 'exit')
  throw new AppError(
    'unavailable',
    `the ${name} ended (${signal ?? `exit ${code}`}); see the log. A new start goes on from here`,
  )
}

async function show(
  api: ApiClient,
  fleet: Child,
  bridgeId: string,
  apiPort: number,
  onlyOnce: boolean,
  stopping: () => boolean,
): Promise<number> {
  const simulated = fleet.ready.devices as SimulatedSummary[]
  const routers = fleet.ready.routers as EmulatedSummary[]
  const moved = new Set(routers.map(({ serial }) => serial).filter((serial) => hasClient(simulated, serial)))
  const groupIds = await ensureGroups(api, [...moved])
  await untilRegistered(api, new Set(simulated.map(({ deviceId }) => deviceId)), stopping)
  const devices = await ensureRouters(api, bridgeId, routers, moved, stopping)
  if (stopping()) return 0
  const bridged = [...devices].flatMap(([serial, deviceId]) =>
    moved.has(serial) ? [] : [{ deviceId, kind: 'bridged', faults: [] }],
  )
  console.log(
    `${devices.size} MikroTik routers are devices, by a bridge; ${await renamed(api, bridged[0]?.deviceId ?? '')}`,
  )
  // A plan takes the devices that are registered when it starts.
  if (stopping()) return 0
  const planId = await ensurePlan(api, groupIds.get('gateways') ?? '')
  // For a program that runs the demo: the walk of docs/quickstart.md can begin.
  process.send?.({ type: 'ready', apiPort })
  return watch(api, groupIds, planId, [...simulated, ...bridged], onlyOnce, stopping)
}

/** True for a router that is also one of the simulated CPE. */
function hasClient(simulated: readonly SimulatedSummary[], serial: string): boolean {
  return simulated.some(({ deviceId, family }) => family?.startsWith('mikrotik') === true && deviceId.endsWith(serial))
}
