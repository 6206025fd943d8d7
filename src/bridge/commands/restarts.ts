import { errorText } from '../../base/index.ts'
import type { RouterCommand } from '../../routeros/index.ts'
import { isOpen } from '../write/router-failure.ts'
import type { BridgeCommand, CommandTools, Restart } from './command.ts'

/** Milliseconds for the answer to a restart: a router may answer, drop the connection, or say nothing at all. */
const ANSWER_MS = 10_000

/** Restarts a router. To be called when the answer to the request is on its way. */
export function restart(command: RouterCommand, tools: CommandTools, why: Restart): void {
  tools.onRestart(why)
  tools.router.command(command, { deadlineMs: ANSWER_MS }).catch((error: unknown) => {
    if (!isOpen(error))
      tools.log.error({ err: error, command: command.path, reason: errorText(error) }, 'the router does not restart')
  })
}

/** Device.Reboot() and Device.FactoryReset() (TR-181 Device). */
export const RESTARTS: readonly BridgeCommand[] = [
  {
    object: 'Device.',
    name: 'Reboot()',
    needs: ['/system/resource'],
    level: () => 2,
    async prepare({ commandKey }, tools) {
      const command = tools.rows.words.run('/system', 'reboot')
      const afterwards = () => restart(command, tools, { cause: 'RemoteReboot', commandKey })
      return async () => ({ output: {}, afterwards })
    },
  },
  {
    object: 'Device.',
    name: 'FactoryReset()',
    needs: ['/system/resource'],
    level: () => 3,
    async prepare({ commandKey }, tools) {
      const command = tools.rows.words.run('/system', 'reset-configuration', { 'skip-backup': 'yes' })
      const afterwards = () => restart(command, tools, { cause: 'RemoteFactoryReset', commandKey })
      return async () => ({ output: {}, afterwards })
    },
  },
]
