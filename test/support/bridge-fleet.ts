import { join } from 'node:path'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { AuditFile, BridgeFleet, Confirmations, type RouterRows, routerOpener } from '../../src/bridge/index.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'

type FleetDeps = ConstructorParameters<typeof BridgeFleet>[0]

/** The fleet of a bridge in this process, with its file of owed notifications. */
class LocalFleet extends BridgeFleet {
  readonly #notifies: NotifyFile

  constructor(deps: FleetDeps & { notifies: NotifyFile }) {
    super(deps)
    this.#notifies = deps.notifies
  }

  override async stop(): Promise<void> {
    await super.stop()
    await this.#notifies.close()
  }
}

/** Starts the fleet of a bridge over a state folder. */
export async function startBridgeFleet(
  folder: string,
  rows: RouterRows,
  more: Pick<FleetDeps, 'mqtt'> = {},
): Promise<BridgeFleet> {
  const fleet = new LocalFleet({
    folder,
    rows,
    open: routerOpener({ ca: undefined, allowPlain: false }, { clock: systemClock, log: silentLog }),
    firmwareHosts: [],
    backupHosts: [],
    notifies: await NotifyFile.open(join(folder, 'notifies.jsonl'), silentLog),
    confirmations: new Confirmations(systemClock),
    audit: new AuditFile(join(folder, 'audit.jsonl'), systemClock),
    codec: new Codec(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...more,
  })
  await fleet.start()
  return fleet
}
