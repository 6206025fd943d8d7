import { join } from 'node:path'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import {
  AuditFile,
  BridgeFleet,
  BridgeIdentity,
  Confirmations,
  Enrolment,
  type MqttHub,
  routerOpener,
  ServerClient,
} from '../../src/bridge/index.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'

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
  const fleet = new BridgeFleet({
    folder: dir,
    mqtt,
    rows: enrolment,
    open: routerOpener({ ca: undefined, allowPlain: false }, { clock: systemClock, log: silentLog }),
    firmwareHosts: [],
    backupHosts: [],
    notifies: await NotifyFile.open(join(dir, 'notifies.jsonl'), silentLog),
    confirmations: new Confirmations(systemClock),
    audit: new AuditFile(join(dir, 'audit.jsonl'), systemClock),
    codec: new Codec(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  await fleet.start()
  return fleet
}
