import { silentLog, systemRandom } from '../../src/base/index.ts'
import { dualStackGateway, loadPresetModels } from '../../src/simulator/index.ts'
import { TreeModel } from '../../src/usp/agent/tree-model.ts'
import { type AgentModel, Codec, UspAgent, websocketTransport } from '../../src/usp/index.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { MemoryAgentModel } from './memory-agent-model.ts'
import type { ScriptedController } from './scripted-controller.ts'
import { FACTS } from './simulated-device.ts'

const MODELS = loadPresetModels()
const CODEC = new Codec()
export const CONTROLLERS = 'Device.LocalAgent.Controller.'
export const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'
export const BOOT = { cause: 'LocalReboot', commandKey: '', firmwareUpdated: false }

/** Returns the model of a gateway with a USP Agent, in memory, that takes its time. */
export async function gatewayModel(): Promise<MemoryAgentModel> {
  const { usp } = dualStackGateway(FACTS, 'proto::agent', MODELS)
  return MemoryAgentModel.copyOf(new TreeModel(usp, async () => ({ done: Promise.resolve({ output: {} }) })))
}

/** Returns an Agent on real sockets; random waits are in the middle of their range. */
export function agentOver(
  model: AgentModel,
  clock: ManualClock = createManualClock(),
  more: Partial<ConstructorParameters<typeof UspAgent>[0]> = {},
): UspAgent {
  return new UspAgent({
    model,
    transport: websocketTransport(() => ({})),
    codec: CODEC,
    endpointId: 'proto::agent',
    identity: FACTS,
    clock,
    wallClock: clock,
    random: { bytes: systemRandom.bytes, fraction: () => 0.5 },
    log: silentLog,
    ...more,
  })
}

/** Adds the rows of a Controller; `role` is its AssignedRole. Resolves with its row. */
export async function addController(
  model: AgentModel,
  controller: Pick<ScriptedController, 'endpointId' | 'port'>,
  values: Readonly<Record<string, string>> = {},
  role = 'Device.LocalAgent.ControllerTrust.Role.1',
): Promise<string> {
  const own = { EndpointID: controller.endpointId, Enable: 'true', PeriodicNotifInterval: '60', AssignedRole: role }
  const [row = ''] = await model.add([{ table: CONTROLLERS, values: { ...own, ...values } }], 'agent')
  const websocket = { Host: '127.0.0.1', Port: String(controller.port), Path: '/usp', EnableEncryption: 'false' }
  const mtp: Record<string, string> = { Protocol: 'WebSocket', Enable: 'true' }
  for (const [name, value] of Object.entries(websocket)) mtp[`WebSocket.${name}`] = value
  await model.add([{ table: `${row}MTP.`, values: mtp }], 'agent')
  return row
}

/** Settings that are all required. */
export function settingsOf(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([param, value]) => ({ param, value, required: true }))
}

/** A Controller adds a subscription that is enabled. Resolves with the answer. */
export function subscribe(
  controller: ScriptedController,
  ID: string,
  NotifType: string,
  ReferenceList: string,
  more: Readonly<Record<string, string>> = {},
) {
  const param_settings = settingsOf({ ID, NotifType, ReferenceList, Enable: 'true', ...more })
  return controller.ask('add', { allow_partial: false, create_objs: [{ obj_path: SUBSCRIPTIONS, param_settings }] })
}
