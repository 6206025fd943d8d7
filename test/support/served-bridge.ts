import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { type BridgeFleet, BridgeIdentity, Enrolment, type MqttHub, ServerClient } from '../../src/bridge/index.ts'
import { startBridgeFleet } from './bridge-fleet.ts'

/**
 * A bridge in this process at the server of this URL, over a state folder; `token` where it has not registered, `mqtt`
 * where it publishes at a broker.
 */
export async function startServedBridge(
  apiUrl: string,
  dir: string,
  token?: string,
  mqtt?: MqttHub,
): Promise<BridgeFleet> {
  const enrolment = new Enrolment({
    folder: dir,
    identity: await BridgeIdentity.open(dir),
    server: new ServerClient({ url: apiUrl, clock: systemClock }),
    token,
    version: '1',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    pollMs: 100,
  })
  return startBridgeFleet(dir, enrolment, { mqtt })
}
