import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import {
  BridgedModel,
  GuardedRouter,
  LocalModel,
  NumberFile,
  RouterModel,
  type RouterWrites,
} from '../../src/bridge/index.ts'
import type { RouterOs } from '../../src/routeros/index.ts'
import { AgentError, Codec, MANAGER, ModelRefusal, UspAgent, websocketTransport } from '../../src/usp/index.ts'
import { CONTROLLER_ID } from './usp-controller.ts'

const CONTROLLER = 'Device.LocalAgent.Controller.1.'
const MTP = `${CONTROLLER}MTP.1.`

/** A router that nothing can change. */
export const NO_WRITES: RouterWrites = {
  set: async (values) => refuse(values.map(({ path }) => path)),
  add: async (rows) => refuse(rows.map(({ table }) => table)),
  addEach: async (rows) => refuse(rows.map(({ table }) => table)),
  delete: async (rows) => refuse([...rows]),
  operate: async () => {
    throw new AgentError(7022, 'no commands here')
  },
  changes: () => () => undefined,
}

function refuse(paths: string[]): never {
  throw new ModelRefusal(paths.map((path) => ({ path, code: 7013, text: 'read only' })))
}

export interface BridgedRouter {
  model: BridgedModel
  agent: UspAgent
  identity: { oui: string; productClass: string; serial: string }
  stop(): Promise<void>
}

/** A router behind a UspAgent that dials a Controller of this machine, with its state in a folder of its own. */
export async function bridged(router: RouterOs, port: number, writes = NO_WRITES): Promise<BridgedRouter> {
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-bridge-'))
  const numbers = await NumberFile.open(join(dir, 'numbers'))
  const reads = new RouterModel({
    router: new GuardedRouter(router, () => 1),
    numbers,
    clock: systemClock,
    served: { commands: () => [], events: (schema) => (schema === 'Device.' ? ['Boot!'] : []) },
  })
  const facts = await reads.get(
    ['ManufacturerOUI', 'ProductClass', 'SerialNumber'].map((name) => `Device.DeviceInfo.${name}`),
  )
  const [oui = '', productClass = '', serial = ''] = [...facts.values()]
  const endpointId = `os::${oui}-${serial}`
  const local = await LocalModel.open(join(dir, 'local'), {
    'Device.LocalAgent.EndpointID': endpointId,
    [`${CONTROLLER}EndpointID`]: CONTROLLER_ID,
    [`${CONTROLLER}Enable`]: 'true',
    [`${CONTROLLER}PeriodicNotifInterval`]: '300',
    [`${CONTROLLER}OnBoardingComplete`]: 'false',
    [`${MTP}Protocol`]: 'WebSocket',
    [`${MTP}Enable`]: 'true',
    [`${MTP}WebSocket.Host`]: '127.0.0.1',
    [`${MTP}WebSocket.Port`]: String(port),
    [`${MTP}WebSocket.Path`]: '/usp',
    [`${MTP}WebSocket.EnableEncryption`]: 'false',
  })
  const model = new BridgedModel(local, reads, writes, async () => undefined)
  const identity = { oui, productClass, serial }
  const agent = new UspAgent({
    model,
    transport: websocketTransport(() => ({})),
    access: { roleOf: () => MANAGER.name },
    codec: new Codec(),
    endpointId,
    identity,
    clock: systemClock,
    wallClock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  agent.start({ cause: 'LocalReboot', commandKey: '', firmwareUpdated: false })
  return {
    model,
    agent,
    identity,
    async stop() {
      agent.stop(true)
      await Promise.all([local.close(), numbers.close()])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
